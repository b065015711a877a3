//! From the words of a list's query to a window of the store.

use crate::api::ListQuery;
use crate::clock;
use crate::error::Kind;
use crate::store::{Order, WindowQuery};

use super::error::ApiError;

/// Rows when a query names none.
const LIMIT: u64 = 50;
/// Rows at most.
const LIMIT_MAX: u64 = 1000;
/// Length of a filter at most, in bytes.
const FILTER_MAX: usize = 400;

/// Checks and translates a query; `columns` are the names it may sort by.
pub(super) fn window(query: &ListQuery, columns: &[&str]) -> Result<WindowQuery, ApiError> {
    let (order, sort) = match query.sort.strip_prefix('-') {
        Some(column) => (Order::Descending, column),
        None => (Order::Ascending, query.sort.as_str()),
    };
    if !sort.is_empty() && !columns.contains(&sort) {
        return Err(ApiError::new(
            Kind::Usage,
            format!("there is no column `{sort}` to sort by"),
        )
        .hint(format!("one of {}", columns.join(", "))));
    }
    if query.filter.len() > FILTER_MAX {
        return Err(ApiError::new(
            Kind::Usage,
            format!("the filter is longer than {FILTER_MAX} bytes"),
        ));
    }
    Ok(WindowQuery {
        filter: query.filter.clone(),
        sort: sort.to_owned(),
        order,
        limit: query.limit.unwrap_or(LIMIT).min(LIMIT_MAX),
        offset: query.offset.unwrap_or(0),
        around: query.around.clone(),
        now: clock::now().0,
    })
}
