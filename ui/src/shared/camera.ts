// The camera: asked for, given, refused, unplugged. One stream at a time; it is let go when nobody wants it or the page is hidden.
import { useCallback, useEffect, useState } from "react";

/** `none`: no camera; `busy`: another program has it; `denied`: the browser or the system forbids it. */
export type CameraState = "off" | "asking" | "on" | "denied" | "none" | "busy";

export interface Camera {
  state: CameraState;
  stream: MediaStream | undefined;
  devices: readonly MediaDeviceInfo[];
  /** Asks once more. */
  retry: () => void;
}

const NO_DEVICES: readonly MediaDeviceInfo[] = [];

/** What a failure of getUserMedia means for a person. */
export function stateOf(error: unknown): CameraState {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "none";
  }
}

async function open(device: string | null): Promise<MediaStream> {
  if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("no camera here", "NotFoundError");
  const size = {
    width: { ideal: 1920, min: 640 },
    height: { ideal: 1080, min: 480 },
    frameRate: { ideal: 30 },
  };
  try {
    const chosen = device ? { deviceId: { exact: device } } : {};
    return await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...size, ...chosen } });
  } catch (error) {
    // The chosen camera is not plugged in, or it is a small one: any camera is better than none.
    if (!(error instanceof DOMException) || error.name !== "OverconstrainedError") throw error;
    return navigator.mediaDevices.getUserMedia({ audio: false, video: true });
  }
}

export function useCamera(device: string | null, isWanted = true): Camera {
  const [state, setState] = useState<CameraState>("off");
  const [stream, setStream] = useState<MediaStream>();
  const [devices, setDevices] = useState<readonly MediaDeviceInfo[]>(NO_DEVICES);
  const [attempt, setAttempt] = useState(0);
  const isSeen = usePageIsSeen();
  const retry = useCallback(() => setAttempt((count) => count + 1), []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: an attempt asks again
  useEffect(() => {
    if (!isWanted || !isSeen) {
      setState("off");
      return;
    }
    let isOver = false;
    let opened: MediaStream | undefined;
    setState("asking");
    open(device).then(
      async (got) => {
        opened = got;
        if (isOver) return stop(got);
        for (const track of got.getVideoTracks()) track.addEventListener("ended", retry);
        setStream(got);
        setState("on");
        const all = await navigator.mediaDevices.enumerateDevices();
        if (!isOver) setDevices(all.filter((one) => one.kind === "videoinput"));
      },
      (error: unknown) => {
        if (!isOver) setState(stateOf(error));
      },
    );
    return () => {
      isOver = true;
      if (opened) stop(opened);
      setStream(undefined);
    };
  }, [device, isWanted, isSeen, attempt]);

  // Plugged in meanwhile: try at once.
  useEffect(() => {
    if (state !== "none" && state !== "busy") return;
    navigator.mediaDevices?.addEventListener("devicechange", retry);
    return () => navigator.mediaDevices?.removeEventListener("devicechange", retry);
  }, [state, retry]);

  return { state, stream, devices, retry };
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function usePageIsSeen(): boolean {
  const [isSeen, setSeen] = useState(() => document.visibilityState !== "hidden");
  useEffect(() => {
    const look = () => setSeen(document.visibilityState !== "hidden");
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  return isSeen;
}

/** The cameras there are; their names are told only after one was allowed. */
export function useCameras(): readonly MediaDeviceInfo[] {
  const [devices, setDevices] = useState<readonly MediaDeviceInfo[]>(NO_DEVICES);
  useEffect(() => {
    let isOver = false;
    const look = async () => {
      const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
      if (!isOver) setDevices(all.filter((one) => one.kind === "videoinput" && one.deviceId !== ""));
    };
    void look();
    navigator.mediaDevices?.addEventListener("devicechange", look);
    return () => {
      isOver = true;
      navigator.mediaDevices?.removeEventListener("devicechange", look);
    };
  }, []);
  return devices;
}
