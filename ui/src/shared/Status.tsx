// A state in words, with an icon and a tone: never colour alone.
import {
  AlertTriangle,
  CheckCircle2,
  CircleDashed,
  CircleSlash,
  Clock,
  CloudUpload,
  Eye,
  GitMerge,
  HardDrive,
  type LucideIcon,
  Undo2,
} from "lucide-react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import styles from "./Status.module.css";

export type Tone = "approved" | "moderation" | "waiting" | "refused" | "error" | "conflict";

export interface StatusProps {
  tone: Tone;
  icon: LucideIcon;
  children: React.ReactNode;
  /** Bare: no box around it, for dense tables. */
  bare?: boolean;
}

export function Status({ tone, icon: Icon, children, bare = false }: StatusProps) {
  return (
    <span className={[styles.status, styles[tone], bare ? styles.bare : ""].filter(Boolean).join(" ")}>
      <Icon size={14} strokeWidth={2.25} aria-hidden="true" />
      <span>{children}</span>
    </span>
  );
}

const RECORD: Record<Schemas["RecordState"], [Tone, LucideIcon]> = {
  saved: ["waiting", HardDrive],
  sent: ["moderation", CloudUpload],
  accepted: ["approved", CheckCircle2],
  refused: ["refused", CircleSlash],
  conflict: ["conflict", GitMerge],
};

/** Where a record stands between this device and the hub. */
export function RecordStatus({ state, bare }: { state: Schemas["RecordState"]; bare?: boolean }) {
  const { t } = useTranslation("common");
  const [tone, icon] = RECORD[state];
  return (
    <Status tone={tone} icon={icon} bare={bare ?? false}>
      {t(`record.${state}`)}
    </Status>
  );
}

const PHOTO: Record<string, [Tone, LucideIcon]> = {
  new: ["waiting", Clock],
  waiting_for_bytes: ["waiting", CloudUpload],
  needs_moderation: ["moderation", Eye],
  approved: ["approved", CheckCircle2],
  rejected: ["refused", CircleSlash],
  error: ["error", AlertTriangle],
  withdrawn: ["waiting", Undo2],
};

/** The status of a photo, or that there is none. */
export function PhotoStatus({ status, bare }: { status: string | null | undefined; bare?: boolean }) {
  const { t } = useTranslation("common");
  if (!status) {
    return (
      <Status tone="waiting" icon={CircleDashed} bare={bare ?? false}>
        {t("photo_status.none")}
      </Status>
    );
  }
  const [tone, icon] = PHOTO[status] ?? (["waiting", CircleDashed] as const);
  const word = PHOTO[status] ? t(`photo_status.${status}`) : t("photo_status.other");
  return (
    <Status tone={tone} icon={icon} bare={bare ?? false}>
      {word}
    </Status>
  );
}
