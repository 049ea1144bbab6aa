// The camera: which there are, and the live picture of one.
import { useEffect, useState } from "react";

export type CameraState = "asking" | "on" | "denied" | "none" | "busy";

export interface Camera {
  state: CameraState;
  stream: MediaStream | undefined;
  /** Names are told only once the camera may be used. */
  devices: readonly MediaDeviceInfo[];
}

const NOTHING: Camera = { state: "asking", stream: undefined, devices: [] };
const WIDTH = 1280;
const HEIGHT = 720;

/** The live picture of a camera (null = the first one) while the component is shown. */
export function useCamera(deviceId: string | null): Camera {
  const [camera, setCamera] = useState<Camera>(NOTHING);
  useEffect(() => {
    const media = navigator.mediaDevices as MediaDevices | undefined;
    if (!media?.getUserMedia) {
      setCamera({ ...NOTHING, state: "none" });
      return;
    }
    let stream: MediaStream | undefined;
    let isOver = false;
    const open = async () => {
      try {
        stream = await media.getUserMedia({ audio: false, video: constraints(deviceId) });
      } catch (thrown) {
        if (!isOver) setCamera({ ...NOTHING, state: stateOf(thrown) });
        return;
      }
      if (isOver) {
        stop(stream);
        return;
      }
      const devices = (await media.enumerateDevices()).filter(({ kind }) => kind === "videoinput");
      if (!isOver) setCamera({ state: "on", stream, devices });
      stream.getVideoTracks()[0]?.addEventListener("ended", () => {
        if (!isOver) setCamera({ ...NOTHING, state: "none", devices });
      });
    };
    void open();
    const onChange = () => {
      if (!stream) void open();
    };
    media.addEventListener("devicechange", onChange);
    return () => {
      isOver = true;
      media.removeEventListener("devicechange", onChange);
      if (stream) stop(stream);
    };
  }, [deviceId]);
  return camera;
}

function constraints(deviceId: string | null): MediaTrackConstraints {
  const size = { width: { ideal: WIDTH }, height: { ideal: HEIGHT } };
  return deviceId ? { ...size, deviceId: { ideal: deviceId } } : size;
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

/** Why there is no picture, from what getUserMedia threw. */
export function stateOf(thrown: unknown): CameraState {
  const name = thrown instanceof Error || thrown instanceof DOMException ? thrown.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotReadableError" || name === "AbortError") return "busy";
  return "none";
}
