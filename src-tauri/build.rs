//! The window's list of commands: only these exist for the page, and each needs its permission in `capabilities/`.

fn main() {
    let commands = &["api", "choose_folder", "show_folder", "window_info", "set_autostart"];
    let attributes = tauri_build::Attributes::new().app_manifest(tauri_build::AppManifest::new().commands(commands));
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo::error=the window's configuration cannot be used: {error:#}");
    }
}
