// Which address shows which page, what stands in the rail, and whose work it is.
import { type LucideIcon, RefreshCw, Settings } from "lucide-react";
import { type ComponentType, lazy } from "react";
import type { Role, Session } from "../api/desk";

export interface PageEntry {
  path: string;
  page: ComponentType;
  /** Its name is `nav.{name}` in the words. */
  name: string;
  /** Stands in the rail. */
  icon?: LucideIcon;
  /** Who may use it; everybody without it. */
  roles?: readonly Role[];
}

export const PAGES: readonly PageEntry[] = [
  { path: "/sync", name: "sync", icon: RefreshCw, page: lazy(() => import("../sync/SyncPage")) },
  {
    path: "/settings",
    name: "settings",
    icon: Settings,
    page: lazy(() => import("../settings/SettingsPage")),
  },
];

/** The pages that whoever is at the desk may use. Where nobody has to sign in, the appliance's own right decides. */
export function pagesFor(session: Pick<Session, "required" | "person"> | undefined): readonly PageEntry[] {
  const role = session?.required ? session.person?.role : undefined;
  if (!role) return PAGES;
  return PAGES.filter(({ roles }) => !roles || roles.includes(role));
}
