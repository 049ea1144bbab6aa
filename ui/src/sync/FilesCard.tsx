// Files under way, waiting and held back, each with its progress; a held one can be sent in spite of it.
import { ArrowDown, ArrowUp } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { FileTransfer, SyncView } from "../api/desk";
import { Button } from "../shared/Button";
import { bytes } from "../shared/format";
import { useLang } from "../shared/lang";
import { Card } from "../shared/Page";
import { useToasts } from "../shared/Toast";
import { Bar } from "./LinkCard";
import { useSendNow } from "./queries";
import { Rows } from "./Rows";
import rows from "./Rows.module.css";
import styles from "./SyncPage.module.css";

const ORDER: Record<FileTransfer["state"], number> = { moving: 0, parked: 1, waiting: 2, held: 3 };

export function FilesCard({ view }: { view: SyncView }) {
  const { t } = useTranslation("sync");
  const lang = useLang();
  if (view.files.length === 0) return null;
  const files = [...view.files].sort((a, b) => ORDER[a.state] - ORDER[b.state]);
  const title = t("files.title");
  const left = files.reduce((sum, file) => sum + file.size_bytes - file.done_bytes, 0);
  return (
    <Card
      title={title}
      aside={
        <span className={styles.count}>
          {t("files.left", { count: files.length, size: bytes(left, lang) })}
        </span>
      }
    >
      <Rows label={title} rows={files} keyOf={(file) => `${file.photo} ${file.class} ${file.direction}`}>
        {(file) => <File file={file} />}
      </Rows>
    </Card>
  );
}

function File({ file }: { file: FileTransfer }) {
  const { t } = useTranslation("sync");
  const lang = useLang();
  const name = file.driver_name ?? t("files.nobody");
  const Arrow = file.direction === "up" ? ArrowUp : ArrowDown;
  return (
    <>
      <Arrow size={16} role="img" aria-label={t(`files.${file.direction}`)} />
      <span className={rows.text}>
        <span>{name}</span>
        <span className="secondary">
          {t(`files.class.${file.class}`)} · {bytes(file.size_bytes, lang)}
        </span>
      </span>
      <span className={rows.side}>
        {file.state === "moving" ? (
          <span className={rows.bar}>
            <Bar label={name} share={file.size_bytes > 0 ? file.done_bytes / file.size_bytes : 0} />
          </span>
        ) : (
          t(`files.state.${file.state}`)
        )}
        {file.state === "held" && file.direction === "up" && <SendNow photo={file.photo} name={name} />}
      </span>
    </>
  );
}

function SendNow({ photo, name }: { photo: string; name: string }) {
  const { t } = useTranslation(["sync", "common"]);
  const { tell } = useToasts();
  const send = useSendNow();
  return (
    <Button
      size="small"
      isDisabled={send.isPending}
      aria-label={t("files.send_now_of", { name })}
      onPress={() =>
        send.mutate(photo, { onError: () => tell({ text: t("common:problem.later"), tone: "bad" }) })
      }
    >
      {t("files.send_now")}
    </Button>
  );
}
