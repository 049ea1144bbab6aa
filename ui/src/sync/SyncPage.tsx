// The Sync page: what waits and how old it is.
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { client, unwrap } from "../api/client";
import { Page } from "../shared/Page";
import { Result } from "../shared/Result";

export default function SyncPage() {
  const { t } = useTranslation("common");
  const status = useQuery({ queryKey: ["status"], queryFn: () => unwrap(client.GET("/api/v1/status")) });
  return (
    <Page title={t("nav.sync")}>
      <Result query={status}>{(data) => <p>{data.queue.commands}</p>}</Result>
    </Page>
  );
}
