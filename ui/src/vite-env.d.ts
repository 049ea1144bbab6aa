/// <reference types="vite/client" />

/** Whether the gallery of all states is built in (vite.config.ts). */
declare const __GALLERY__: boolean;
