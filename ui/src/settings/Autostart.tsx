// Whether the window starts with the computer; a browser has no say in that.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { isWindow, setAutostart, windowInfo } from "../api/transport";
import { Switch } from "../shared/Field";

export function Autostart() {
  const { t } = useTranslation("settings");
  const queries = useQueryClient();
  const info = useQuery({ queryKey: ["window"], queryFn: windowInfo, enabled: isWindow });
  const change = useMutation({
    mutationFn: setAutostart,
    onSettled: () => queries.invalidateQueries({ queryKey: ["window"] }),
  });
  if (!info.data) return null;
  return (
    <Switch isSelected={info.data.autostart} onChange={(on) => change.mutate(on)}>
      {t("look.autostart")}
    </Switch>
  );
}
