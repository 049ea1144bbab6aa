//! Driver search (data.md, "Driver search keys"): names by prefix, stem and any three letters; phone by suffix; licence,
//! plate and callsign by their folded form. What was typed is folded to letters and digits first and bound as a value, so
//! no sign of it reaches the text indexes as syntax.
//!
//! One document per driver of a park, made of profile, card and car; every word of the query must hit it. Pages follow a
//! key (how well it hit, name, document), so that they neither repeat nor skip while rows change.

mod documents;

use std::collections::BTreeSet;

use parkdesk_domain::fold;
use parkdesk_domain::ids::RowId;
use parkdesk_domain::row::{Kind, RowRef};
use parkdesk_domain::scope::{Area, Scope};
use rusqlite::types::Value as SqlValue;
use rust_stemmers::{Algorithm, Stemmer};
use serde::{Deserialize, Serialize};

pub(crate) use self::documents::Profile;
use crate::error::{Result, parse};
use crate::rows::RowState;
use crate::tx::ReadTx;

/// Words of a query that count; what is typed beyond is ignored.
const MAX_WORDS: usize = 6;
/// Letters of a word that count.
const MAX_LETTERS: usize = 40;

/// A query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// What was typed; nothing lists all.
    pub text: String,
    /// Only drivers of this park.
    pub park: Option<RowId>,
    /// Go on after this hit.
    pub after: Option<SearchKey>,
    /// Hits of a page.
    pub limit: u32,
}

/// The place of a hit in the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchKey {
    tier: i64,
    sort_name: String,
    doc: i64,
}

/// A page of hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The hits.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<SearchKey>,
}

/// By what a driver was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchOn {
    /// Name.
    Name,
    /// Phone number.
    Phone,
    /// Driving licence.
    Licence,
    /// Plate of the car.
    Plate,
    /// Callsign of the car.
    Callsign,
}

/// A driver found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DriverHit {
    /// The driver.
    #[serde(flatten)]
    pub driver: DriverRow,
    /// By what, best first; empty when nothing was typed.
    pub match_on: Vec<MatchOn>,
}

/// A driver as a list shows one: what the statement of the search can read by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DriverRow {
    /// The driver.
    pub id: RowId,
    /// The park.
    pub park: RowId,
    /// Last, first and middle name.
    pub name: String,
    /// The car's plate.
    pub plate: Option<String>,
    /// The car's callsign.
    pub callsign: Option<String>,
    /// The first phone; none where only the card is held.
    pub phone: Option<String>,
    /// Licence number; none where only the card is held.
    pub licence_number: Option<String>,
    /// Status of the latest photo.
    pub photo_status: Option<String>,
    /// The latest photo whose thumb is here.
    pub photo: Option<RowId>,
    /// Where the row stands.
    pub state: RowState,
}

const SPACES: [(i64, MatchOn, &str); 4] = [
    (2, MatchOn::Phone, "phone"),
    (4, MatchOn::Licence, "licence"),
    (8, MatchOn::Plate, "plate"),
    (16, MatchOn::Callsign, "callsign"),
];

fn stem(word: &str) -> String {
    let is_latin = word.bytes().any(|b| b.is_ascii_alphabetic());
    let algorithm = if is_latin { Algorithm::English } else { Algorithm::Russian };
    Stemmer::create(algorithm).stem(word).into_owned()
}

/// A value of the text indexes' query language that is nothing but a string.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A statement with its values.
#[derive(Default)]
struct Sql {
    text: String,
    values: Vec<SqlValue>,
}

impl Sql {
    fn bind(&mut self, value: impl Into<SqlValue>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    /// The documents that one way of reading the query hits: `doc, tier, bits`.
    fn arms_of_key(&mut self, key: &str, spaces: &[&str], bits: i64) -> Vec<String> {
        let mut arms = Vec::new();
        for space in spaces {
            let from = self.bind(key.to_owned());
            // The highest character closes the range of a prefix.
            let to = self.bind(format!("{key}\u{10ffff}"));
            arms.push(format!(
                "SELECT doc, 0 AS tier, {bits} AS bits FROM driver_keys
                 WHERE space = '{space}' AND key >= {from} AND key < {to}"
            ));
        }
        arms
    }

    fn arms_of_phone(&mut self, text: &str) -> Vec<String> {
        let digits = fold::phone(text);
        if digits.len() < 4 || text.chars().any(char::is_alphabetic) {
            return Vec::new();
        }
        self.arms_of_key(&digits.chars().rev().collect::<String>(), &["phone"], 2)
    }

    fn arms_of_word(&mut self, word: &str) -> Vec<String> {
        let stem = stem(word);
        let mut arms = Vec::new();
        // The whole word first: Петров before Петрович. Then as it is typed; then by the stem, for Иванова -> Иванов and
        // Иванов -> Иванова alike.
        let mut queries = vec![(0, format!("words : {}", quoted(word))), (1, format!("words : {} *", quoted(word)))];
        if stem.chars().count() >= 3 {
            queries.push((2, format!("words : {} * OR stems : {}", quoted(&stem), quoted(&stem))));
        }
        for (tier, query) in queries {
            let query = self.bind(query);
            arms.push(format!(
                "SELECT rowid AS doc, {tier} AS tier, 1 AS bits FROM driver_words WHERE driver_words MATCH {query}"
            ));
        }
        let key = fold::plate(word);
        if word.chars().count() >= 3 {
            let query = self.bind(format!("name : {} OR keys : {}", quoted(word), quoted(&key)));
            arms.push(format!(
                "SELECT rowid AS doc, 2 AS tier, 0 AS bits FROM driver_trigrams WHERE driver_trigrams MATCH {query}"
            ));
        }
        arms.extend(self.arms_of_phone(word));
        arms.extend(self.arms_of_key(&key, &["licence"], 4));
        arms.extend(self.arms_of_key(&key, &["plate"], 8));
        arms.extend(self.arms_of_key(&key, &["callsign"], 16));
        arms
    }
}

fn union(arms: &[String]) -> String {
    // Arms may carry several bits each: a sum would carry over.
    let bits = [1, 2, 4, 8, 16].map(|bit| format!("max(bits & {bit})")).join(" | ");
    format!("SELECT doc, min(tier) AS tier, {bits} AS bits FROM ({}) GROUP BY doc", arms.join(" UNION ALL "))
}

/// The documents hit by what was typed, or `None` if nothing was.
fn hits(text: &str, sql: &mut Sql) -> Option<String> {
    let folded = fold::name(text);
    let words: Vec<String> = folded
        .split(' ')
        .filter(|w| !w.is_empty())
        .take(MAX_WORDS)
        .map(|w| w.chars().take(MAX_LETTERS).collect())
        .collect();
    if words.is_empty() {
        return None;
    }
    let each: Vec<String> = words.iter().map(|word| format!("({})", union(&sql.arms_of_word(word)))).collect();
    let mut all = String::from("SELECT w0.doc, w0.tier");
    for at in 1..each.len() {
        all.push_str(&format!(" + w{at}.tier"));
    }
    all.push_str(" AS tier, w0.bits");
    for at in 1..each.len() {
        all.push_str(&format!(" | w{at}.bits"));
    }
    all.push_str(" AS bits FROM ");
    for (at, one) in each.iter().enumerate() {
        let join = if at == 0 { "" } else { " JOIN " };
        let on = if at == 0 { String::new() } else { format!(" ON w{at}.doc = w0.doc") };
        all.push_str(&format!("{join}{one} AS w{at}{on}"));
    }
    let mut ways = vec![all];
    if words.len() > 1 {
        // Written with blanks: a phone number, a plate, a licence as one key.
        let whole: String = text.chars().take(MAX_LETTERS).collect();
        let key = fold::plate(&whole);
        let mut arms = sql.arms_of_key(&key, &["licence"], 4);
        arms.extend(sql.arms_of_key(&key, &["plate"], 8));
        arms.extend(sql.arms_of_phone(&whole));
        ways.push(union(&arms));
    }
    Some(union(&ways))
}

/// The page of a search with everything that a list shows. The page is cut first, so that nothing is joined to a driver who is
/// not on it.
fn page_statement(search: &Search) -> Sql {
    let Sql { text, values } = statement(search);
    let text = format!(
        "WITH page AS MATERIALIZED ({text})
         SELECT page.doc, page.park_id, page.driver_id, page.sort_name, page.tier, page.bits,
             coalesce(nullif(concat_ws(' ', nullif(trim(last_name), ''), nullif(trim(first_name), ''),
                 nullif(trim(middle_name), '')), ''), driver_cards.name, '') AS name,
             drivers.id IS NULL AS is_card, driver_cards.id AS card_id,
             coalesce(cars.plate, driver_cards.plate) AS plate, callsign, photo_status,
             json_extract(rows.body, '$.phones[0]') AS phone,
             json_extract(rows.body, '$.licence.number') AS licence_number,
             (SELECT photos.id FROM photos
              WHERE photos.driver_id = page.driver_id AND photos.park_id = page.park_id AND status <> 'withdrawn'
                AND EXISTS (SELECT 1 FROM photo_files JOIN blob_holders USING (blob_id)
                    WHERE photo_files.scope = photos.scope AND photo_files.photo_id = photos.id AND class = 0)
              ORDER BY captured_at_ms DESC, photos.id DESC LIMIT 1) AS photo
         FROM page
         LEFT JOIN drivers ON drivers.scope = 'park/' || page.park_id || '/fleet' AND drivers.id = page.driver_id
         LEFT JOIN rows ON rows.scope = drivers.scope AND rows.kind = 'driver' AND rows.id = drivers.id
         LEFT JOIN cars ON cars.scope = drivers.scope AND cars.id = drivers.car_id
         LEFT JOIN driver_cards ON driver_cards.driver_id = page.driver_id
             AND driver_cards.scope = 'park/' || page.park_id || '/directory'
         ORDER BY page.tier, page.sort_name, page.doc"
    );
    Sql { text, values }
}

/// The statement of a search.
fn statement(search: &Search) -> Sql {
    let mut sql = Sql::default();
    let hits = hits(&search.text, &mut sql);
    let (from, tier, bits) = match &hits {
        Some(hits) => (format!("({hits}) AS hit JOIN driver_docs USING (doc)"), "hit.tier", "hit.bits"),
        None => ("driver_docs".to_owned(), "0", "0"),
    };
    let mut wheres = Vec::new();
    if let Some(park) = &search.park {
        let park = sql.bind(park.as_str().to_owned());
        wheres.push(format!("park_id = {park}"));
    }
    if let Some(after) = &search.after {
        let (name, doc) = (sql.bind(after.sort_name.clone()), sql.bind(after.doc));
        wheres.push(match &hits {
            Some(_) => {
                let tier_at = sql.bind(after.tier);
                format!("({tier}, sort_name, driver_docs.doc) > ({tier_at}, {name}, {doc})")
            }
            // Without a tier the range is one of the index.
            None => format!("(sort_name, doc) > ({name}, {doc})"),
        });
    }
    let filter = if wheres.is_empty() { String::new() } else { format!(" WHERE {}", wheres.join(" AND ")) };
    let order = if hits.is_some() { "tier, sort_name, driver_docs.doc" } else { "sort_name, doc" };
    let limit = sql.bind(i64::from(search.limit.clamp(1, 500)) + 1);
    sql.text = format!(
        "SELECT driver_docs.doc AS doc, park_id, driver_id, sort_name, {tier} AS tier, {bits} AS bits
         FROM {from}{filter} ORDER BY {order} LIMIT {limit}"
    );
    sql
}

impl ReadTx<'_> {
    /// Finds drivers.
    ///
    /// # Errors
    /// If the file fails.
    pub fn search_drivers(&self, search: &Search) -> Result<Page<DriverHit>> {
        let sql = page_statement(search);
        let found = self.all(&sql.text, rusqlite::params_from_iter(&sql.values), found)?;
        let limit = usize::try_from(search.limit.clamp(1, 500)).unwrap_or(500);
        let next = found.len().checked_sub(limit + 1).and_then(|_| found.get(limit - 1)).map(|found| found.key.clone());
        let hits = found.into_iter().take(limit).map(|found| self.hit(found));
        Ok(Page { items: hits.collect::<Result<_>>()?, next })
    }

    fn hit(&self, found: Found) -> Result<DriverHit> {
        let (id, park): (RowId, RowId) = (parse("driver", &found.driver)?, parse("driver", &found.park)?);
        let row = match found.card {
            Some(card) => RowRef {
                scope: Scope::park(&park, Area::Directory),
                kind: Kind::DriverCard,
                id: parse("driver", &card)?,
            },
            None => RowRef { scope: Scope::park(&park, Area::Fleet), kind: Kind::Driver, id: id.clone() },
        };
        Ok(DriverHit {
            match_on: match_on(found.bits, found.key.tier),
            driver: DriverRow {
                id,
                park,
                name: found.name,
                plate: found.plate,
                callsign: found.callsign,
                phone: found.phone,
                licence_number: found.licence_number,
                photo_status: found.photo_status,
                photo: found.photo.map(|photo| parse("photo", &photo)).transpose()?,
                state: self.row_state(&row)?,
            },
        })
    }

    /// How many drivers there are: of a park, or all.
    ///
    /// # Errors
    /// If the file fails.
    pub fn count_drivers(&self, park: Option<&RowId>) -> Result<u64> {
        let count = match park {
            Some(park) => {
                let sql = "SELECT count(*) FROM driver_docs WHERE park_id = ?1";
                self.one(sql, [park.as_str()], |row| row.get(0))?
            }
            None => self.one("SELECT count(*) FROM driver_docs", [], |row| row.get(0))?,
        };
        Ok(count.unwrap_or(0))
    }

    /// The drivers that a hint of a folder, file name or sidecar means: a profile id, a licence or a phone, whole.
    ///
    /// # Errors
    /// If the file fails.
    pub fn find_driver_by_hint(&self, hint: &str) -> Result<Vec<RowId>> {
        let hint: String = hint.trim().chars().take(80).collect();
        let (licence, phone) = (fold::plate(&hint), fold::phone(&hint));
        let phone = if phone.len() >= 10 { phone.chars().rev().collect() } else { String::new() };
        let sql = "SELECT id AS driver_id FROM drivers WHERE id = ?1
                   UNION SELECT driver_id FROM driver_cards WHERE driver_id = ?1
                   UNION SELECT driver_id FROM driver_keys JOIN driver_docs USING (doc)
                         WHERE space = 'licence' AND key = ?2 AND length(?2) >= 4
                   UNION SELECT driver_id FROM driver_keys JOIN driver_docs USING (doc)
                         WHERE space = 'phone' AND key = ?3 AND ?3 <> ''";
        let ids = self.texts(sql, (&hint, &licence, &phone))?;
        ids.iter().map(|id| parse("driver", id)).collect()
    }
}

/// A line of the page.
struct Found {
    key: SearchKey,
    bits: i64,
    park: String,
    driver: String,
    name: String,
    /// The card's row, where only the card is held.
    card: Option<String>,
    plate: Option<String>,
    callsign: Option<String>,
    phone: Option<String>,
    licence_number: Option<String>,
    photo_status: Option<String>,
    photo: Option<String>,
}

fn found(row: &rusqlite::Row<'_>) -> rusqlite::Result<Found> {
    let card: Option<String> = row.get("card_id")?;
    Ok(Found {
        key: SearchKey { tier: row.get("tier")?, sort_name: row.get("sort_name")?, doc: row.get("doc")? },
        bits: row.get("bits")?,
        park: row.get("park_id")?,
        driver: row.get("driver_id")?,
        name: row.get("name")?,
        card: card.filter(|_| row.get("is_card").unwrap_or(false)),
        plate: row.get("plate")?,
        callsign: row.get("callsign")?,
        phone: row.get("phone")?,
        licence_number: row.get("licence_number")?,
        photo_status: row.get("photo_status")?,
        photo: row.get("photo")?,
    })
}

fn match_on(bits: i64, tier: i64) -> Vec<MatchOn> {
    let mut on: BTreeSet<MatchOn> = SPACES.iter().filter(|(bit, _, _)| bits & bit != 0).map(|(_, on, _)| *on).collect();
    if bits & 1 != 0 || (tier > 0 && on.is_empty()) {
        on.insert(MatchOn::Name);
    }
    on.into_iter().collect()
}

#[cfg(test)]
mod speed;
#[cfg(test)]
mod tests;
