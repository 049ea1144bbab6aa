// The columns of the list of drivers.
import type { TFunction } from "i18next";
import { useEffect, useState } from "react";
import type { DriverRow } from "../api/drivers";
import type { Column } from "../shared/DataGrid";
import { phone, plate } from "../shared/format";
import { Picture, photoPath } from "../shared/Picture";
import { PhotoStatus, RecordStatus } from "../shared/Status";
import styles from "./columns.module.css";

export function columnsOf(t: TFunction<"driver">): Column<DriverRow>[] {
  return [
    {
      key: "photo",
      label: t("photos.title"),
      isBare: true,
      cell: (row) => <Thumb row={row} />,
    },
    { key: "name", label: t("field.name"), cell: (row) => <span className={styles.name}>{row.name}</span> },
    { key: "plate", label: t("field.plate"), cell: (row) => (row.plate ? plate(row.plate) : "") },
    { key: "phone", label: t("field.phone"), cell: (row) => (row.phone ? phone(row.phone) : "") },
    {
      key: "photo_status",
      label: t("field.photo"),
      cell: (row) => <PhotoStatus status={row.photo_status} bare />,
    },
    {
      key: "state",
      label: t("field.state"),
      // What is as it should be is not worth a word in each row.
      cell: (row) => (row.state === "accepted" ? null : <RecordStatus state={row.state} bare />),
    },
  ];
}

/** A row that only flies by asks for no picture. */
const FLY_BY_MS = 100;

function Thumb({ row }: { row: DriverRow }) {
  const [isStaying, setStaying] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setStaying(true), FLY_BY_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Picture
      className={styles.thumb ?? ""}
      path={row.photo && isStaying ? photoPath(row.photo, "thumb") : undefined}
      alt=""
      name={row.photo && !isStaying ? "" : row.name}
    />
  );
}
