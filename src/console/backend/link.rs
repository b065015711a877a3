//! Keeps the stream of changes open: connects, reports what comes, and tries again, ever more rarely, when it breaks.

use std::sync::Arc;
use std::time::Duration;

use roundel::client::launch::{self, Connected, Place};
use roundel::client::{Client, Known, StreamItem};
use roundel::clock;
use roundel::error::{Chain, Explain, Kind};
use roundel::sanitise;
use roundel::secret::Secret;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::sleep;

use super::Server;
use super::fetch::failure;
use crate::console::event::{Event, Link};

/// Pauses before each further try; the last one repeats.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(5),
];

/// How often is looked whether somebody has signed in again, in another window: at a file, and not at the server.
const LOOK: Duration = Duration::from_secs(1);

/// Why a connection ended or was none.
struct Broken {
    why: String,
    /// It had been live: the first pause is short again.
    was_live: bool,
    /// The server does not know, or does not take any more, who asks: asking again is of no use.
    signed_out: bool,
}

impl Broken {
    fn early<E: Explain>(err: &E) -> Self {
        Self {
            why: words(err),
            was_live: false,
            signed_out: err.kind() == Kind::SignIn,
        }
    }

    fn live(why: String) -> Self {
        Self {
            why,
            was_live: true,
            signed_out: false,
        }
    }
}

/// Keeps connecting for as long as somebody listens to `events`.
pub(super) async fn keep(
    mut server: Server,
    client: watch::Sender<Option<Client>>,
    now: Arc<Notify>,
    events: mpsc::Sender<Event>,
) {
    let mut tries = 0;
    let mut start = server.start;
    while !events.is_closed() {
        let broken = once(&server, start, &client, &events).await;
        // Only the first connection starts a server by itself; a lost one is started again when somebody asks.
        start = false;
        if broken.signed_out {
            let link = Link::SignedOut {
                since: clock::now(),
                why: broken.why,
            };
            if events.send(Event::Link(link)).await.is_err() {
                return;
            }
            wait_for_sign_in(&mut server, &now, &events).await;
            tries = 0;
            continue;
        }
        tries = if broken.was_live { 0 } else { tries + 1 };
        let pause = PAUSES[tries.min(PAUSES.len() - 1)];
        let moment = clock::now();
        let lost = Link::Lost {
            since: moment,
            retry_at: moment.plus(pause),
            why: broken.why,
        };
        if events.send(Event::Link(lost)).await.is_err() {
            return;
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = now.notified() => {}
        }
    }
}

/// Waits until there is another token to try, or somebody wants to try the old one.
async fn wait_for_sign_in(server: &mut Server, now: &Notify, events: &mpsc::Sender<Event>) {
    loop {
        tokio::select! {
            () = sleep(LOOK) => {}
            () = now.notified() => return,
            () = events.closed() => return,
        }
        let Place::Remote(remote) = &mut server.place else {
            continue;
        };
        // One that was given for this console alone is not taken for another.
        if !remote.kept {
            continue;
        }
        let kept = Known::usual().and_then(|known| known.token(&remote.address).ok().flatten());
        if let Some(kept) = kept
            && remote.token.as_ref().is_none_or(|old| old.expose() != kept)
        {
            remote.token = Some(Secret::new(kept));
            return;
        }
    }
}

async fn once(
    server: &Server,
    start: bool,
    client: &watch::Sender<Option<Client>>,
    events: &mpsc::Sender<Event>,
) -> Broken {
    let connected = if start {
        launch::ensure(&server.place, server.config.as_deref()).await
    } else {
        launch::connect(&server.place).await
    };
    let connected = match connected {
        Ok(connected) => Connected {
            client: connected
                .client
                .in_session(&server.session, server.read_only),
            ..connected
        },
        Err(err) => return Broken::early(&err),
    };
    let mut connected = connected;
    if let Place::Remote(remote) = &server.place {
        // What it calls itself says less than where it was found.
        connected.hello.hostname = remote.address.to_string();
    }
    client.send_replace(Some(connected.client.clone()));
    listen(connected, events).await
}

/// Reports everything the stream brings until it breaks.
async fn listen(connected: Connected, events: &mpsc::Sender<Event>) -> Broken {
    // The stream first: what changes from here on is reported, so what is read afterwards cannot go stale unnoticed.
    let mut stream = match connected.client.events(None).await {
        Ok(stream) => stream,
        Err(err) => return Broken::early(&err),
    };
    let summary = match connected.client.summary().await {
        Ok(summary) => summary,
        Err(err) => return Broken::early(&err),
    };
    let session = match connected.client.session().await {
        Ok(session) => session,
        Err(err) => return Broken::early(&err),
    };
    let first = [
        Event::Hello(Box::new(connected.hello)),
        Event::Summary(Box::new(summary)),
        Event::Session(session),
        Event::Link(Link::Live),
    ];
    for event in first {
        _ = events.send(event).await;
    }
    loop {
        let event = match stream.next().await {
            Some(Ok(StreamItem::Change(change))) => Event::Change(change),
            Some(Ok(StreamItem::Summary(summary))) => Event::Summary(Box::new(summary)),
            Some(Ok(StreamItem::Log(log))) => Event::LogAdvanced(log),
            Some(Ok(StreamItem::Reset)) => Event::Reset,
            Some(Ok(StreamItem::Ended(why))) => {
                return Broken {
                    signed_out: true,
                    ..Broken::live(format!("signed out: {}", sanitise::line(&why)))
                };
            }
            Some(Err(err)) => return Broken::live(words(&err)),
            None => return Broken::live("the server has ended".to_owned()),
        };
        if events.send(event).await.is_err() {
            return Broken::live(String::new());
        }
    }
}

/// What broke, in a few words where the sort of error says it all.
fn words<E: Explain>(err: &E) -> String {
    match err.kind() {
        Kind::NoServer => "no server answers".to_owned(),
        _ => Chain(err).to_string(),
    }
}

/// Starts a server because somebody asked for it, then has the connection tried at once.
pub(super) async fn start(server: Server, now: Arc<Notify>, events: mpsc::Sender<Event>) {
    match launch::ensure(&server.place, server.config.as_deref()).await {
        Ok(_) => now.notify_one(),
        Err(err) => _ = events.send(Event::NotStarted(failure(&err))).await,
    }
}
