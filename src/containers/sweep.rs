//! Takes away what attempts left in the engine: containers with their volumes, then networks. Only what carries the
//! label of this server's data, and only of attempts that are over.

use std::collections::HashMap;

use bollard::query_parameters::{ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder};

use super::plain::labelled;
use super::{Engine, LABEL_ATTEMPT, LABEL_DATA, is_missing};

/// Removes what is labelled with this server's data and belongs to an attempt that is over, by its id. Answers how many
/// things went.
///
/// # Errors
/// When the engine cannot be asked; what it refuses to remove is left for the next time.
pub async fn sweep(
    engine: &Engine,
    data_id: &str,
    mut is_over: impl FnMut(&str) -> bool,
) -> Result<usize, bollard::errors::Error> {
    let label = format!("{LABEL_DATA}={data_id}");
    let containers = labelled(engine, &label).await?;
    let filters = HashMap::from([("label", vec![label])]);
    let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
    let networks = engine.api.list_networks(Some(options)).await?;

    let mut gone = 0;
    for container in containers {
        let attempt = container.labels.get(LABEL_ATTEMPT);
        if attempt.is_some_and(|id| is_over(id)) {
            gone += usize::from(remove_container(engine, &container.id).await);
        }
    }
    for network in networks {
        let (Some(id), Some(labels)) = (network.id, network.labels) else {
            continue;
        };
        if labels.get(LABEL_ATTEMPT).is_some_and(|id| is_over(id)) {
            gone += usize::from(remove_network(engine, &id).await);
        }
    }
    Ok(gone)
}

/// Removes one container, running or not, with the volumes that came with it.
pub async fn remove_container(engine: &Engine, id: &str) -> bool {
    let options = RemoveContainerOptionsBuilder::new()
        .force(true)
        .v(true)
        .build();
    match engine.api.remove_container(id, Some(options)).await {
        Ok(()) => true,
        // Somebody else was faster, or is at it.
        Err(err) if is_missing(&err) || is_under_way(&err) => false,
        Err(err) => {
            tracing::warn!(container = id, error = %err, "a container could not be removed");
            false
        }
    }
}

/// Removes a network that no container is in any more.
pub async fn remove_network(engine: &Engine, id: &str) -> bool {
    match engine.api.remove_network(id).await {
        Ok(()) => true,
        Err(err) if is_missing(&err) => false,
        Err(err) => {
            tracing::warn!(network = id, error = %err, "a network could not be removed");
            false
        }
    }
}

/// Docker answers 409 while another removal of the same container is going on.
fn is_under_way(err: &bollard::errors::Error) -> bool {
    matches!(
        err,
        bollard::errors::Error::DockerResponseServerError {
            status_code: 409,
            ..
        }
    )
}
