// Looks at the live picture: at most eight frames a second, never more than one under way, always the newest.
import { type RefObject, useEffect, useRef, useState } from "react";
import { type Live, lookLive } from "../api/pictures";
import { asProblem } from "../api/problem";
import { draw, jpeg } from "./frame";

const EVERY_MS = 125;
const SIDE = 640;
const QUALITY = 0.8;
/** After an answer that is no look (the face program starts, the appliance is busy). */
const REST_MS = 1_000;

export interface Look {
  live: Live;
  at: number;
}

export function useLive(
  video: RefObject<HTMLVideoElement | null>,
  isOn: boolean,
  onLook: (look: Look) => void,
): { look: Look | undefined; isFailing: boolean } {
  const [look, setLook] = useState<Look>();
  const [isFailing, setFailing] = useState(false);
  const tell = useRef(onLook);
  tell.current = onLook;
  useEffect(() => {
    setLook(undefined);
    if (!isOn) return;
    const stop = new AbortController();
    const canvas = document.createElement("canvas");
    const run = async () => {
      while (!stop.signal.aborted) {
        const began = performance.now();
        let rest = EVERY_MS;
        try {
          if (video.current && draw(video.current, canvas, SIDE)) {
            const live = await lookLive(await jpeg(canvas, QUALITY), stop.signal);
            if (stop.signal.aborted) return;
            const seen = { live, at: performance.now() };
            setLook(seen);
            setFailing(false);
            tell.current(seen);
          }
        } catch (thrown) {
          if (stop.signal.aborted) return;
          if (asProblem(thrown).code !== "superseded") {
            rest = REST_MS;
            setFailing(true);
            setLook(undefined);
          }
        }
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + rest - performance.now())));
      }
    };
    void run();
    return () => stop.abort();
  }, [video, isOn]);
  return { look, isFailing };
}
