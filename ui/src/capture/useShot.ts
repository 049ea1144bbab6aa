// One shot on its way: taken, looked at, cut anew, saved for good. The crop that is seen is the crop that is saved.
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { cropShot, dropShot, newShot, type Shot, saveShot, withdrawPhoto } from "../api/pictures";
import { problemText } from "../shared/Result";
import { useToasts } from "../shared/Toast";
import { type Crop, middle } from "./crop";

/** A dragged rectangle is cut when it stood still for so long. */
const CUT_AFTER_MS = 300;

export interface Person {
  park: string;
  id: string;
  name: string;
}

export type Phase =
  | { is: "live" }
  | { is: "looking" }
  | { is: "preview"; shot: Shot; crop: Crop }
  | { is: "failed"; error: unknown };

const LIVE: Phase = { is: "live" };

export interface Taken {
  picture: ArrayBuffer;
  name: string;
  source: "camera" | "file";
  takenAt: number;
}

export function useShot(person: Person | undefined, onSaved: (photo: string | undefined) => void) {
  const { t } = useTranslation("capture");
  const toasts = useToasts();
  const queries = useQueryClient();
  const [phase, setPhase] = useState<Phase>(LIVE);
  const [isSaving, setSaving] = useState(false);
  const now = useRef<Phase>(LIVE);
  const uncut = useRef<Crop>(undefined);
  const cutting = useRef<Promise<unknown>>(Promise.resolve());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const turn = useRef(0);
  const show = useCallback((next: Phase) => {
    now.current = next;
    setPhase(next);
  }, []);

  const take = useCallback(
    async (taken: Taken | Promise<Taken>) => {
      const own = ++turn.current;
      show({ is: "looking" });
      try {
        const { picture, name, source, takenAt } = await taken;
        const of = person ? { park: person.park, driver: person.id } : {};
        const shot = await newShot({ ...of, name, source, taken_at_ms: takenAt }, picture);
        if (own !== turn.current) return void dropShot(shot.id).catch(() => undefined);
        show({ is: "preview", shot, crop: shot.crop ?? middle(shot) });
      } catch (error) {
        if (own === turn.current) show({ is: "failed", error });
      }
    },
    [person, show],
  );

  const cut = useCallback(() => {
    clearTimeout(timer.current);
    const [seen, crop] = [now.current, uncut.current];
    if (seen.is !== "preview" || !crop) return;
    uncut.current = undefined;
    const id = seen.shot.id;
    cutting.current = cutting.current
      .catch(() => undefined)
      .then(async () => {
        const shot = await cropShot(id, crop);
        const latest = now.current;
        // What the person sees stays: they may have moved on meanwhile.
        if (latest.is === "preview" && latest.shot.id === id) show({ ...latest, shot });
      });
    cutting.current.catch((error: unknown) => toasts.tell({ text: problemText(t, error), tone: "bad" }));
  }, [show, t, toasts]);

  const crop = useCallback(
    (next: Crop) => {
      const seen = now.current;
      if (seen.is !== "preview") return;
      uncut.current = next;
      show({ ...seen, crop: next });
      clearTimeout(timer.current);
      timer.current = setTimeout(cut, CUT_AFTER_MS);
    },
    [cut, show],
  );

  const retake = useCallback(() => {
    const seen = now.current;
    turn.current += 1;
    clearTimeout(timer.current);
    uncut.current = undefined;
    if (seen.is === "preview") void dropShot(seen.shot.id).catch(() => undefined);
    show(LIVE);
  }, [show]);

  const save = useCallback(
    async (of: Person, reason?: string) => {
      const seen = now.current;
      if (seen.is !== "preview") return;
      setSaving(true);
      try {
        // A rectangle that no face gave is the person's own: it is cut, too.
        if (!seen.shot.crop && !uncut.current) uncut.current = seen.crop;
        cut();
        await cutting.current;
        const taken = await saveShot(seen.shot.id, { park: of.park, driver: of.id, reason });
        const photo = taken.taken === "captured" ? taken.photo : undefined;
        toasts.tell({
          text: photo ? t("saved", { name: of.name }) : t("saved_before", { name: of.name }),
          ...(photo ? { undo: async () => void (await withdrawPhoto(photo)) } : {}),
        });
        void queries.invalidateQueries({ queryKey: ["driver", of.id] });
        void queries.invalidateQueries({ queryKey: ["drivers"] });
        show(LIVE);
        onSaved(photo);
      } catch (error) {
        toasts.tell({ text: problemText(t, error), tone: "bad" });
      } finally {
        setSaving(false);
      }
    },
    [cut, onSaved, queries, show, t, toasts],
  );

  useEffect(
    () => () => {
      clearTimeout(timer.current);
      if (now.current.is === "preview") void dropShot(now.current.shot.id).catch(() => undefined);
    },
    [],
  );
  return { phase, take, crop, retake, save, isSaving };
}
