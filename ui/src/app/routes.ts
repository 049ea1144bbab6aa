// Which address shows which page, and what stands in the rail.
import { Camera, type LucideIcon, RefreshCw } from "lucide-react";
import { type ComponentType, lazy } from "react";

export const PAGES: readonly { path: string; page: ComponentType }[] = [
  { path: "/sync", page: lazy(() => import("../sync/SyncPage")) },
];

export const NAV: readonly { path: string; name: string; icon: LucideIcon }[] = [
  { path: "/capture", name: "capture", icon: Camera },
  { path: "/sync", name: "sync", icon: RefreshCw },
];
