//! The columns of T-MSIS Analytic Files: what each discloses follows from the T-MSIS element that
//! it was made from.

use std::collections::BTreeMap;

use chancery_model::Fault;

use crate::Column;
use crate::dictionary::{Dictionary, rows};

/// The table's name.
pub(crate) const TABLE: &str = "TAF";
/// The column that names the person.
pub(crate) const ID: &str = "MSIS_IDENT_NUM";
/// The column that names the origin.
pub(crate) const ORIGIN: &str = "SUBMTG_STATE_CD";

/// Columns of the flat one-row-per-person form that the analytic files spell otherwise.
const FLAT: [(&str, &str); 2] = [
    ("ENRLMT_EFF_DT", "enrollment_span"),
    ("ENRLMT_END_DT", "enrollment_span"),
];

/// The analytic files write `0` where states submit `8`, "citizen or national".
const IMMIGRATION_CODES: [(&str, &str); 5] =
    [("0", "8"), ("8", "8"), ("1", "1"), ("2", "2"), ("3", "3")];

#[derive(serde::Deserialize)]
struct TafRow {
    taf_column: String,
    element_name: String,
    segment_id: String,
    derivation: String,
}

/// The columns that are known, by name.
pub(crate) fn columns() -> Result<BTreeMap<String, Column>, Fault> {
    let dictionary = Dictionary::load()?;
    let listed: Vec<TafRow> = rows("taf_columns.csv", include_str!("../tmsis/taf_columns.csv"))?;
    let mut columns = BTreeMap::new();
    for (name, element) in FLAT {
        columns.insert(name.to_owned(), Column::plain(name, Some(element), false));
    }
    for row in listed {
        if !columns.contains_key(&row.taf_column)
            && let Some(column) = column(&dictionary, &row)
        {
            columns.insert(row.taf_column, column);
        }
    }
    Ok(columns)
}

/// A column made from several elements has one only if they all disclose the same.
fn column(dictionary: &Dictionary, row: &TafRow) -> Option<Column> {
    let mut sources = row
        .element_name
        .split(';')
        .map(|name| dictionary.column(&row.segment_id, name.trim()));
    let first = sources.next()??;
    let is_single = sources.clone().next().is_none();
    let agree = |other: Option<&Column>| other.is_some_and(|other| other.element == first.element);
    if !sources.all(agree) {
        return None;
    }
    let mut column = Column::plain(&row.taf_column, first.element.as_deref(), first.key);
    if is_single && !row.derivation.contains("derived") {
        column.role.clone_from(&first.role);
        if first.name == "immigration_status" {
            let codes = IMMIGRATION_CODES.iter();
            column.recode = codes
                .map(|(taf, code)| ((*taf).to_owned(), (*code).to_owned()))
                .collect();
        }
    }
    Some(column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flat_form_is_mapped_by_meaning() {
        let columns = columns().unwrap();
        let expected = "\
MSIS_IDENT_NUM medicaid_id, SUBMTG_STATE_CD enrollment, MSIS_CASE_NUM household, SSN_NUM ssn, \
ELGBL_1ST_NAME name, ELGBL_LAST_NAME name, ELGBL_MDL_INITL_NAME name, BIRTH_DT birth_date, \
DEATH_DT death_date, SEX_CD sex, MRTL_STUS_CD marital_status, INCM_CD income, VET_IND veteran, \
CTZNSHP_IND citizenship, CTZNSHP_VRFCTN_IND verification, IMGRTN_STUS_CD immigration_status, \
IMGRTN_VRFCTN_IND verification, IMGRTN_STUS_5_YR_BAR_END_DT verification, \
OTHR_LANG_HOME_CD language, HSEHLD_SIZE_CD household, PRGNT_IND pregnancy, \
ETHNCTY_CD race_ethnicity, ELGBL_LINE_1_ADR_HOME address, ELGBL_LINE_2_ADR_HOME address, \
ELGBL_CITY_NAME_HOME address, ELGBL_ZIP_CD_HOME address, ELGBL_CNTY_CD_HOME address, \
ELGBL_STATE_CD_HOME address, ELGBL_PHNE_NUM_HOME phone, ELGBLTY_GRP_CD eligibility, \
RSTRCTD_BNFTS_CD eligibility, DUAL_ELGBL_CD dual_status, CHIP_CD program, \
DEAF_DSBL_FLAG disability, ENRLMT_EFF_DT enrollment_span, ENRLMT_END_DT enrollment_span";
        for pair in expected.split(", ") {
            let (name, element) = pair.split_once(' ').unwrap();
            assert_eq!(columns[name].element.as_deref(), Some(element), "{name}");
            assert_eq!(columns[name].key, [ID, ORIGIN].contains(&name), "{name}");
        }
        assert_eq!(columns["MSIS_CASE_NUM"].role.as_deref(), Some("case_num"));
        assert_eq!(columns["IMGRTN_STUS_CD"].recode["0"], "8");
    }

    #[test]
    fn a_column_of_two_different_elements_is_held_back() {
        assert!(!columns().unwrap().contains_key("AGE_NUM"));
    }
}
