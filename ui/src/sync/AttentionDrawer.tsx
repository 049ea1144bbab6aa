// One entry to settle: why, what was wanted, and the ways on.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { AttentionView } from "../api/desk";
import { Button } from "../shared/Button";
import { Dialog, Drawer } from "../shared/Dialog";
import { ago } from "../shared/format";
import { useLang } from "../shared/lang";
import { Failure } from "../shared/Result";
import { useToasts } from "../shared/Toast";
import styles from "./Attention.module.css";
import { useReason } from "./AttentionList";
import { isEditable, linesOf } from "./attention";
import { ConflictForm } from "./ConflictForm";
import { EditForm } from "./EditForm";
import { type Settle, useSettle } from "./queries";
import { useFieldName, useKindName, useValueText } from "./words";

export function AttentionDrawer({ entry, onClose }: { entry: AttentionView; onClose: () => void }) {
  const { t } = useTranslation("sync");
  const lang = useLang();
  const kindName = useKindName();
  const reason = useReason();
  const { tell } = useToasts();
  const settle = useSettle(entry.id);
  const [edits, setEdits] = useState(false);
  const send = (decision: Settle) =>
    settle.mutate(decision, {
      onSuccess: () => {
        tell({ text: t(`attention.told.${decision.action}`) });
        onClose();
      },
    });
  return (
    <Drawer title={entry.subject?.name ?? kindName(entry.command ?? entry.kind)} onClose={onClose} takesFocus>
      <div className={styles.drawer}>
        <div className={styles.reason}>
          <p>{reason(entry)}</p>
          <p className="secondary">
            {kindName(entry.command ?? entry.kind)} · {ago(entry.created_at_ms, lang)}
          </p>
        </div>
        {entry.conflicts.length > 0 ? (
          <ConflictForm entry={entry} isBusy={settle.isPending} onDecide={send} />
        ) : edits ? (
          <EditForm
            entry={entry}
            isBusy={settle.isPending}
            onCancel={() => setEdits(false)}
            onSend={(command) => send({ action: "edit", command })}
          />
        ) : (
          <>
            <Wanted entry={entry} />
            <Ways entry={entry} isBusy={settle.isPending} onEdit={() => setEdits(true)} onSend={send} />
          </>
        )}
        {settle.error && <Failure error={settle.error} />}
        {entry.offers.includes("discard") && (
          <Discard entry={entry} isBusy={settle.isPending} onDiscard={() => send({ action: "discard" })} />
        )}
      </div>
    </Drawer>
  );
}

function Wanted({ entry }: { entry: AttentionView }) {
  const { t } = useTranslation("sync");
  const fieldName = useFieldName();
  const valueText = useValueText();
  const lines = linesOf(entry);
  if (lines.length === 0) return null;
  return (
    <section className={styles.block}>
      <h3>{t("attention.wanted")}</h3>
      <dl className={styles.lines}>
        {lines.map(({ field, was, now }) => (
          <div key={field}>
            <dt>{fieldName(field)}</dt>
            <dd>
              {was !== undefined && was !== null && (
                <>
                  <del className={styles.was}>{valueText(field, was)}</del>{" "}
                </>
              )}
              {valueText(field, now)}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

interface WaysProps {
  entry: AttentionView;
  isBusy: boolean;
  onEdit: () => void;
  onSend: (decision: Settle) => void;
}

/** The likeliest way on is the main one: what exists already, then a correction, then the same again. */
function Ways({ entry, isBusy, onEdit, onSend }: WaysProps) {
  const { t } = useTranslation("sync");
  const ways: { key: string; run: () => void }[] = [];
  if (entry.offers.includes("use_offer"))
    ways.push({ key: "use_offer", run: () => onSend({ action: "use_offer" }) });
  if (isEditable(entry)) ways.push({ key: "edit", run: onEdit });
  if (entry.offers.includes("retry")) ways.push({ key: "retry", run: () => onSend({ action: "retry" }) });
  return (
    <div className={styles.actions}>
      {ways.map(({ key, run }, at) => (
        <Button key={key} tone={at === 0 ? "primary" : "plain"} isDisabled={isBusy} onPress={run}>
          {t(`attention.way.${key}`)}
        </Button>
      ))}
    </div>
  );
}

interface DiscardProps {
  entry: AttentionView;
  isBusy: boolean;
  onDiscard: () => void;
}

function Discard({ entry, isBusy, onDiscard }: DiscardProps) {
  const { t } = useTranslation(["sync", "common"]);
  const [asks, setAsks] = useState(false);
  const isPhoto = entry.command === "photo.capture";
  return (
    <div className={styles.discard}>
      <Button tone="danger" isDisabled={isBusy} onPress={() => setAsks(true)}>
        {t("attention.discard")}
      </Button>
      <Dialog
        isOpen={asks}
        onClose={() => setAsks(false)}
        title={t("attention.discard_title")}
        actions={
          <>
            <Button autoFocus onPress={() => setAsks(false)}>
              {t("common:cancel")}
            </Button>
            <Button
              tone="danger"
              onPress={() => {
                setAsks(false);
                onDiscard();
              }}
            >
              {t("attention.discard")}
            </Button>
          </>
        }
      >
        <p>{t(isPhoto ? "attention.discard_photo" : "attention.discard_text")}</p>
      </Dialog>
    </div>
  );
}
