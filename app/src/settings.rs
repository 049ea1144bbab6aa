//! The desk's settings: kept in the replica, for this appliance alone.

use std::path::Path;

use parkdesk_sqlite::Priority;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::error::{Error, Result};
use crate::installation::Language;

const SETTINGS: &str = "desk.settings";

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Settings {
    /// The language that was chosen; that of the system without it.
    pub lang: Option<Language>,
    /// Light or dark.
    pub theme: Theme,
    /// The camera that was chosen, by the browser's name for it.
    pub camera: Option<String>,
    /// Whether a ready face is shot without a key.
    pub auto_shutter: bool,
    /// The watched folder, if there is one.
    pub watch_folder: Option<String>,
    /// Whether the live picture is mirrored, as people know themselves.
    pub mirror: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { lang: None, theme: Theme::System, camera: None, auto_shutter: false, watch_folder: None, mirror: true }
    }
}

/// What is to be changed; what is absent stays as it is, and null takes back a choice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub struct ChangeSettings {
    /// The language.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Language>)]
    pub lang: Option<Option<Language>>,
    /// Light or dark.
    pub theme: Option<Theme>,
    /// The camera.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub camera: Option<Option<String>>,
    /// Whether a ready face is shot without a key.
    pub auto_shutter: Option<bool>,
    /// The watched folder: a whole path.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub watch_folder: Option<Option<String>>,
    /// Whether the live picture is mirrored.
    pub mirror: Option<bool>,
}

/// Null is a value, absence is none.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> std::result::Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl App {
    /// The settings; the folder is the one that is watched now.
    ///
    /// # Errors
    /// If the replica fails.
    pub fn settings(&self) -> Result<Settings> {
        let mut settings = self.saved_settings()?;
        if let Some(watch) = self.watch.get() {
            settings.watch_folder = watch.status().map(|status| status.folder);
        }
        Ok(settings)
    }

    fn saved_settings(&self) -> Result<Settings> {
        let saved = self.replica().read(|tx| tx.setting(SETTINGS)).map_err(Error::from)?;
        // Settings of another version that cannot be read are no reason to stop work.
        Ok(saved.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Changes settings.
    ///
    /// # Errors
    /// If the folder cannot be watched, or the replica fails; then nothing was changed.
    pub fn change_settings(&self, change: ChangeSettings) -> Result<Settings> {
        let mut settings = self.saved_settings()?;
        settings.lang = change.lang.unwrap_or(settings.lang);
        settings.theme = change.theme.unwrap_or(settings.theme);
        settings.camera = change.camera.unwrap_or(settings.camera);
        settings.auto_shutter = change.auto_shutter.unwrap_or(settings.auto_shutter);
        settings.mirror = change.mirror.unwrap_or(settings.mirror);
        if let Some(folder) = change.watch_folder {
            let folder = folder.filter(|folder| !folder.trim().is_empty());
            let watch = self.watch.get().ok_or(Error::Busy)?;
            watch
                .watch(folder.as_deref().map(Path::new))
                .map_err(|why| Error::BadInput { field: "watch_folder", why })?;
            settings.watch_folder = folder;
        }
        let text = serde_json::to_string(&settings).map_err(|_| Error::Damaged("settings"))?;
        self.replica().write(Priority::Person, |tx| tx.set_setting(SETTINGS, &text)).map_err(Error::from)?;
        self.settings()
    }
}
