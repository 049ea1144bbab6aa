// Frames of a video as JPEG bytes. Always an ArrayBuffer: WebKitGTK's custom protocols cannot take a Blob.

/** Draws the frame that is shown now, its longer side at most `side` pixels, onto a canvas; none is shown before `loadeddata`. */
export function draw(
  video: HTMLVideoElement,
  canvas: HTMLCanvasElement,
  side = Number.POSITIVE_INFINITY,
): boolean {
  const { videoWidth, videoHeight } = video;
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || videoWidth === 0 || videoHeight === 0)
    return false;
  const scale = Math.min(1, side / Math.max(videoWidth, videoHeight));
  canvas.width = Math.round(videoWidth * scale);
  canvas.height = Math.round(videoHeight * scale);
  canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height);
  return true;
}

export async function jpeg(canvas: HTMLCanvasElement, quality: number): Promise<ArrayBuffer> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
  if (!blob) throw new Error("the frame could not be written as JPEG");
  return blob.arrayBuffer();
}
