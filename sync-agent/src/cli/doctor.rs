//! `doctor`: is this appliance sound. Asks the running agent; if none runs, opens the data itself.

use std::path::Path;

use anyhow::Context;
use parkdesk_app::doctor::{CheckView, DoctorReport, DoctorWish, SupportBundle, examine};
use parkdesk_app::keys::ring::OsRing;
use parkdesk_app::words::Lang;
use parkdesk_sqlcipher::dir::DataDir;
use parkdesk_sync_agent::appliance::open_data;
use parkdesk_sync_agent::clock;

use super::client::Client;
use super::failure::Failure;
use super::table::table;
use super::{Data, Show};

/// `doctor`.
pub(super) fn doctor(data: &Data, thorough: bool, bundle: Option<&Path>, show: Show) -> Result<(), Failure> {
    let wish = DoctorWish { thorough };
    let report = match ask(&data.dir, wish, bundle) {
        Err(Failure::Stopped(_)) if bundle.is_none() => examine_stopped(data, wish)?,
        asked => asked?,
    };
    if show.json {
        println!("{}", serde_json::to_string_pretty(&report).context("the report cannot be written")?);
    } else {
        print!("{}", text(&report, show.lang));
    }
    if report.is_sound { Ok(()) } else { Err(Failure::Unsound) }
}

fn ask(dir: &Path, wish: DoctorWish, bundle: Option<&Path>) -> Result<DoctorReport, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        let client = Client::new(dir);
        let report: DoctorReport = client.post("/doctor", &wish).await?;
        if let Some(file) = bundle {
            let bundle: SupportBundle = client.get("/support-bundle").await?;
            let bundle = SupportBundle { report: report.clone(), ..bundle };
            let text = serde_json::to_string_pretty(&bundle).context("the bundle cannot be written")?;
            std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))?;
        }
        Ok(report)
    })
}

fn examine_stopped(data: &Data, wish: DoctorWish) -> Result<DoctorReport, Failure> {
    let place = data.place();
    if !place.has_replica() {
        return Err(Failure::NoAppliance(place.dir));
    }
    let _lock = DataDir::lock(&data.dir)?;
    let replica = open_data(&place, &OsRing::default())?;
    let report = examine(&replica, clock::now(), wish, None);
    Ok(report.context("the data cannot be examined")?)
}

fn text(report: &DoctorReport, lang: Lang) -> String {
    let pick = |ru: &'static str, en: &'static str| if lang == Lang::Ru { ru } else { en };
    let row = |finding: &CheckView| {
        let what = if lang == Lang::Ru { &finding.what_ru } else { &finding.what_en };
        let state = match (finding.faults, &finding.first) {
            (0, _) => pick("в порядке", "sound").to_owned(),
            (faults, None) => format!("{} {faults}", pick("неверно:", "at fault:")),
            (faults, Some(first)) => format!("{} {faults} ({first}, …)", pick("неверно:", "at fault:")),
        };
        vec![what.clone(), finding.examined.to_string(), state]
    };
    let rows: Vec<Vec<String>> = report.findings.iter().map(row).collect();
    let heading = [pick("что", "what"), pick("проверено", "examined"), pick("итог", "result")];
    let mut out = table(&heading, &rows, "");
    for finding in report.findings.iter().filter(|finding| finding.faults > 0) {
        let (what, advice) = match lang {
            Lang::Ru => (&finding.what_ru, &finding.advice_ru),
            Lang::En => (&finding.what_en, &finding.advice_en),
        };
        out.push_str(&format!("\n{what}: {}\n", advice.as_deref().unwrap_or_default()));
    }
    if report.is_sound && !report.thorough {
        out.push_str(pick(
            "\nВсё в порядке. Прочитать каждый файл и сверить таблицы: doctor --thorough\n",
            "\nAll is well. To read every file and compare the tables, too: doctor --thorough\n",
        ));
    } else if report.is_sound {
        out.push_str(pick("\nВсё в порядке.\n", "\nAll is well.\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use parkdesk_domain::Millis;

    use super::*;

    fn report(faults: u64) -> DoctorReport {
        let finding = CheckView {
            check: "files".into(),
            examined: 12,
            faults,
            first: (faults > 0).then(|| "file 12345678".into()),
            what_ru: "файлы на диске".into(),
            what_en: "files on the disk".into(),
            advice_ru: (faults > 0).then(|| "проверьте диск".into()),
            advice_en: (faults > 0).then(|| "check the disk".into()),
        };
        DoctorReport {
            version: "1".into(),
            at_ms: Millis(0),
            thorough: false,
            is_sound: faults == 0,
            findings: vec![finding],
        }
    }

    #[test]
    fn the_report_says_what_is_at_fault_and_what_to_do() {
        let sound = text(&report(0), Lang::Ru);
        assert!(sound.contains("файлы на диске  12         в порядке") && sound.contains("Всё в порядке"), "{sound}");
        let faulty = text(&report(2), Lang::En);
        assert!(faulty.contains("at fault: 2 (file 12345678, …)"), "{faulty}");
        assert!(faulty.contains("files on the disk: check the disk") && !faulty.contains("All is well"), "{faulty}");
    }
}
