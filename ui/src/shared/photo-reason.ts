// Why a photo was refused: known codes in the reader's language, what a moderator wrote as it is.

/** Words for a reason; several codes are parted by commas or spaces. */
export function photoReason(
  t: (key: string, options?: Record<string, unknown>) => string,
  reason: string,
): string {
  const codes = reason.split(/[\s,;]+/).filter(Boolean);
  const words = codes.map((code) => t(`photo.${code.replace(/!$/, "")}`, { ns: "check", defaultValue: "" }));
  return words.every((word) => word !== "") ? words.join("; ") : reason;
}
