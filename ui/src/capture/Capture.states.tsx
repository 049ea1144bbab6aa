// The parts of taking a photo, with a picture instead of a camera.
import { useEffect, useRef, useState } from "react";
import { shotFile } from "../api/pictures";
import { imageUrl } from "../api/transport";
import { FAILED, photoOf, rowOf, shotOf, WARNING } from "../dev/fixtures.driver";
import type { Camera } from "../shared/camera";
import { Findings } from "../shared/Findings";
import type { States } from "../shared/states";
import { Compare } from "./Compare";
import { CropEditor } from "./CropEditor";
import type { Crop } from "./crop";
import { Decide } from "./Decide";
import { LiveStage } from "./LiveStage";

const nothing = () => undefined;
const camera = (state: Camera["state"], stream?: MediaStream): Camera => ({
  state,
  stream,
  devices: [],
  retry: nothing,
});

/** A still picture as a camera's stream. */
function useStill(): MediaStream | undefined {
  const [stream, setStream] = useState<MediaStream>();
  useEffect(() => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [1280, 960];
    const picture = new Image();
    picture.src = imageUrl(shotFile(shotOf().id, "original"));
    const draw = () => canvas.getContext("2d")?.drawImage(picture, 0, 0, 910, 682, 0, 0, 1280, 960);
    const timer = setInterval(draw, 200);
    setStream(canvas.captureStream(5));
    return () => clearInterval(timer);
  }, []);
  return stream;
}

interface StageProps {
  state?: Camera["state"];
  isOn?: boolean;
  isAutomatic?: boolean;
}

export function Stage({ state = "on", isOn = true, isAutomatic = false }: StageProps) {
  const video = useRef<HTMLVideoElement>(null);
  const still = useStill();
  return (
    <div style={{ height: 420 }}>
      <LiveStage
        camera={camera(state, state === "on" ? still : undefined)}
        video={video}
        isOn={isOn}
        isMirrored={false}
        isAutomatic={isAutomatic}
        isHeld={false}
        onShoot={nothing}
        idle={isOn ? undefined : "—"}
        onPickFile={nothing}
      />
    </div>
  );
}

function Cropping({ crop }: { crop: Crop }) {
  const [now, setNow] = useState(crop);
  const shot = shotOf();
  return (
    <div style={{ height: 420 }}>
      <CropEditor path={shotFile(shot.id, "original")} picture={shot} crop={now} onChange={setNow} />
    </div>
  );
}

const PERSON = rowOf(1);
const EARLIER = [0, 1, 2, 3].map((at) => photoOf(1, at));

export const states: States = {
  "live, ready": { render: () => <Stage />, width: 640 },
  "no camera": { render: () => <Stage state="none" />, width: 640 },
  "camera denied": { render: () => <Stage state="denied" />, width: 640 },
  "camera busy": { render: () => <Stage state="busy" />, width: 640 },
  crop: {
    render: () => <Cropping crop={shotOf().crop ?? { x: 0, y: 0, w: 3, h: 4, turn: 0 }} />,
    width: 640,
  },
  "crop, turned": {
    render: () => <Cropping crop={{ x: 300, y: 40, w: 390, h: 520, turn: 700 }} />,
    width: 640,
  },
  "compared, good": {
    render: () => (
      <Compare shot={shotOf()} earlier={EARLIER} person={PERSON}>
        <Findings findings={[]} />
      </Compare>
    ),
    width: 380,
  },
  "compared, looks like another driver": {
    render: () => (
      <Compare
        shot={shotOf({
          nearest: { verdict: "different", false_matches_milli: 6, text: "", photo: photoOf(1, 1).id },
          other_driver: {
            park: "park-1",
            id: "driver-3",
            name: rowOf(3).name,
            photo: photoOf(3, 0).id,
            likely: { verdict: "same", false_matches_milli: 300, text: "" },
          },
        })}
        earlier={EARLIER}
        person={PERSON}
        onOther={nothing}
      >
        <Findings findings={[FAILED, WARNING]} />
      </Compare>
    ),
    width: 380,
  },
  "compared, the first photo": {
    render: () => (
      <Compare shot={shotOf({ nearest: null })} earlier={[]} person={PERSON}>
        <Findings findings={[WARNING]} />
      </Compare>
    ),
    width: 380,
  },
  "to save": { render: () => <Deciding needsReason={false} />, width: 380 },
  "to save in spite of a failed check": { render: () => <Deciding needsReason />, width: 380 },
};

function Deciding({ needsReason }: { needsReason: boolean }) {
  const handle = useRef(null);
  return (
    <Decide needsReason={needsReason} isSaving={false} handle={handle} onSave={nothing} onRetake={nothing} />
  );
}
