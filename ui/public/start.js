// Before the first paint: the theme and the language of last time, so that nothing flashes. The app keeps both up to date.
(() => {
  const read = (key) => {
    try {
      return localStorage.getItem(`parkdesk.${key}`);
    } catch {
      return null;
    }
  };
  const theme = read("theme");
  const isDark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
  document.documentElement.lang = read("lang") ?? (navigator.language.toLowerCase().startsWith("en") ? "en" : "ru");
})();
