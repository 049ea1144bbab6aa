// Pictures that come as files: dropped, pasted, or picked. They go the same way as a shot.
import { type DragEvent, type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { isTyping } from "../shared/shortcuts";
import type { Taken } from "./useShot";

const KINDS = "image/jpeg,image/png,image/webp,.jpg,.jpeg,.png,.webp,.heic";

async function taken(file: File): Promise<Taken> {
  return {
    picture: await file.arrayBuffer(),
    name: file.name || "pasted.png",
    source: "file",
    takenAt: file.lastModified || Date.now(),
  };
}

export function usePictureFiles(isOpen: boolean, onTaken: (taken: Promise<Taken>) => void) {
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const give = useRef(onTaken);
  give.current = onTaken;
  const accept = useCallback((files: FileList | undefined | null) => {
    const [first] = files ?? [];
    if (first) give.current(taken(first));
    return first !== undefined;
  }, []);
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => {
      if (!isOpen || (isTyping(event.target) && !event.clipboardData?.files.length)) return;
      if (accept(event.clipboardData?.files)) event.preventDefault();
    };
    window.addEventListener("paste", onPaste);
    return () => window.removeEventListener("paste", onPaste);
  }, [isOpen, accept]);
  const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files");
  const element: ReactNode = (
    <input
      ref={input}
      type="file"
      accept={KINDS}
      hidden
      aria-hidden="true"
      tabIndex={-1}
      onChange={(event) => {
        accept(event.target.files);
        event.target.value = "";
      }}
    />
  );
  return {
    isOver,
    pick: () => input.current?.click(),
    input: element,
    drop: {
      onDragOver: (event: DragEvent) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(true);
      },
      onDragLeave: (event: DragEvent) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      },
      onDrop: (event: DragEvent) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(false);
        if (isOpen) accept(event.dataTransfer.files);
      },
    },
  };
}
