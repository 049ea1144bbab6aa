// Light, dark, or as the system is: data-theme on <html>.
import { useEffect } from "react";
import type { Theme } from "../api/desk";
import { remember } from "./remember";

const DARK = "(prefers-color-scheme: dark)";

/** Which of the two is shown. */
export function shownTheme(theme: Theme, systemIsDark: boolean): "light" | "dark" {
  if (theme === "system") return systemIsDark ? "dark" : "light";
  return theme;
}

/** Shows the theme and follows the system if that is the choice. Charts redraw on the `themechange` event. */
export function useTheme(theme: Theme | undefined): void {
  useEffect(() => {
    if (!theme) return;
    const system = window.matchMedia(DARK);
    const show = () => {
      const shown = shownTheme(theme, system.matches);
      if (document.documentElement.dataset.theme === shown) return;
      document.documentElement.dataset.theme = shown;
      window.dispatchEvent(new Event("themechange"));
    };
    remember("theme", theme);
    show();
    system.addEventListener("change", show);
    return () => system.removeEventListener("change", show);
  }, [theme]);
}
