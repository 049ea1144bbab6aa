// Saves an edit of a driver: durable at once, undone by its inverse for ten seconds.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { type Driver, type DriverEdit, editDriver } from "../api/drivers";
import { useToasts } from "../shared/Toast";
import { inverse } from "./edit";

export function useEdit(driver: Pick<Driver, "id" | "park">) {
  const { t } = useTranslation("driver");
  const queries = useQueryClient();
  const toasts = useToasts();
  const readAgain = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: ["driver", driver.id] }),
      queries.invalidateQueries({ queryKey: ["drivers"] }),
    ]);
  return useMutation({
    mutationFn: (edit: DriverEdit) => editDriver(driver.park, driver.id, edit),
    onSuccess: async (_, edit) => {
      toasts.tell({
        text: t("saved"),
        undo: async () => {
          await editDriver(driver.park, driver.id, inverse(edit));
          await readAgain();
        },
      });
      await readAgain();
    },
  });
}
