//! Aligned columns, two spaces apart, as Nomad prints them; and blocks of `key = value`.
//!
//! Every cell passes the sanitiser: names come from repositories and machines.

use std::io::{self, Write};

use roundel::sanitise;
use unicode_width::UnicodeWidthStr;

/// Prints a heading and rows. Rows have as many cells as the heading.
pub(super) fn table<const N: usize>(
    out: &mut dyn Write,
    heading: [&str; N],
    rows: &[[String; N]],
) -> io::Result<()> {
    let heading = heading.map(str::to_owned);
    let clean = |row: &[String; N]| -> [String; N] {
        std::array::from_fn(|i| {
            let cell = if row[i].is_empty() { "<none>" } else { &row[i] };
            sanitise::line(cell).into_owned()
        })
    };
    let lines: Vec<[String; N]> = std::iter::once(&heading).chain(rows).map(clean).collect();
    let widths: [usize; N] = std::array::from_fn(|i| {
        lines
            .iter()
            .map(|line| line[i].width())
            .max()
            .unwrap_or_default()
    });
    for line in &lines {
        for (i, cell) in line.iter().enumerate() {
            if i + 1 == N {
                writeln!(out, "{cell}")?;
            } else {
                // Padded by hand: format widths count characters, not columns.
                write!(out, "{cell}{}  ", " ".repeat(widths[i] - cell.width()))?;
            }
        }
    }
    Ok(())
}

/// Prints `key = value` lines with the equals signs below one another; pairs with an empty value show `<none>`.
pub(super) fn block(out: &mut dyn Write, pairs: &[(&str, String)]) -> io::Result<()> {
    let width = pairs
        .iter()
        .map(|(key, _)| key.len())
        .max()
        .unwrap_or_default();
    for (key, value) in pairs {
        let value = if value.is_empty() { "<none>" } else { value };
        writeln!(out, "{key:width$} = {}", sanitise::line(value))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(rows: &[[String; 2]]) -> String {
        let mut out = Vec::new();
        table(&mut out, ["ID", "Status"], rows).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_stand_below_one_another_two_spaces_apart() {
        assert_eq!(printed(&[]), "ID  Status\n");
        let rows = [
            ["abc".into(), "running".into()],
            ["漢".into(), String::new()],
        ];
        assert_eq!(printed(&rows), "ID   Status\nabc  running\n漢   <none>\n");
    }

    #[test]
    fn nothing_in_a_cell_reaches_the_terminal_as_a_command() {
        let text = printed(&[["a\x1b]0;title\x07b\n".into(), "x".into()]]);
        assert!(!text.contains('\x1b') && !text.contains('\x07'), "{text:?}");
        assert_eq!(text.lines().count(), 2);
    }

    #[test]
    fn a_block_aligns_its_equals_signs() {
        let mut out = Vec::new();
        block(&mut out, &[("ID", "x".into()), ("Status", String::new())]).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "ID     = x\nStatus = <none>\n"
        );
    }
}
