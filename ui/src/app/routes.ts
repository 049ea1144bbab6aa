// Which address shows which page, what stands in the rail, and whose work it is.
import { Camera, Inbox, type LucideIcon, RefreshCw, Settings, Users } from "lucide-react";
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
  { path: "/capture", name: "capture", icon: Camera, page: lazy(() => import("./CapturePage")) },
  {
    path: "/drivers/:park?/:driver?",
    name: "drivers",
    icon: Users,
    page: lazy(() => import("../driver/DriversPage")),
  },
  { path: "/unassigned", name: "unassigned", icon: Inbox, page: lazy(() => import("../tray/TrayPage")) },
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
  if (!session?.required) return PAGES;
  const role = session.person?.role;
  return PAGES.filter(({ roles }) => !roles || roles.some((one) => one === role));
}
