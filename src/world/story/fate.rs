//! What a handover did to a subscription, and why.

use super::clock;
use super::exchange::outcome_in_words;
use super::trip::Trip;
use super::watch::{Turn, TurnKind};
use crate::sim::HostId;
use crate::sip::Method;
use crate::sip::agent::Loss;
use crate::time::SimTime;

/// What became of one user's subscription to the presence of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The host of who watches.
    pub watcher: HostId,
    /// The host of who is watched.
    pub peer: HostId,
    /// When it was first granted, if it was.
    pub granted: Option<SimTime>,
    /// What became of it.
    pub fate: Fate,
    /// When that showed: by a renewal, a NOTIFY, a loss.
    pub at: Option<SimTime>,
    /// When a new one took its place, if it was lost and one did.
    pub regained: Option<SimTime>,
    /// What it showed by.
    turn: Option<Turn>,
}

/// What became of a subscription in the handover; of one that had ended before, or without any
/// handover, in the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It was renewed, or a NOTIFY of it arrived, after the departure.
    Survived,
    /// It was lost after the departure.
    Lost,
    /// Its watcher departed.
    WatcherGone,
    /// It stood at the departure, and nothing was sent for it afterwards.
    Untried,
    /// It had been lost before, and did not stand at the departure; or there was no departure.
    LostBefore,
    /// The user had ended it, or did so afterwards.
    Ended,
    /// It was first granted after the departure.
    Later,
    /// There was no departure, and it stands.
    Stands,
    /// It was never granted.
    Refused,
}

impl Fate {
    /// All of them with their names in tables.
    pub const NAMES: [(Self, &'static str); 9] = [
        (Self::Survived, "survived"),
        (Self::Lost, "lost"),
        (Self::WatcherGone, "watcher_gone"),
        (Self::Untried, "untried"),
        (Self::LostBefore, "lost_before"),
        (Self::Ended, "ended"),
        (Self::Later, "later"),
        (Self::Stands, "stands"),
        (Self::Refused, "refused"),
    ];
}

impl Subscription {
    pub(super) fn new(
        watcher: HostId,
        peer: HostId,
        turns: Vec<Turn>,
        departure: Option<SimTime>,
    ) -> Self {
        let is_active = |turn: &&Turn| turn.what == TurnKind::Active;
        let granted = turns.iter().find(is_active).map(|turn| turn.at);
        let (fate, turn) = judge(&turns, granted, departure);
        let at = turn.as_ref().map(|turn| turn.at);
        let lost = matches!(fate, Fate::Lost | Fate::LostBefore);
        let after = |turn: &&Turn| lost && at.is_some_and(|at| turn.at > at) && is_active(turn);
        let regained = turns.iter().find(after).map(|turn| turn.at);
        Self { watcher, peer, granted, fate, at, regained, turn }
    }

    /// What became of it, and why, in words.
    #[must_use]
    pub fn in_words(&self, name: &dyn Fn(HostId) -> String) -> String {
        let peer = name(self.peer);
        let why = || self.turn.as_ref().map_or_else(String::new, |turn| turn.why(name, &peer));
        let at = self.at.map_or_else(String::new, |at| format!(" at {}", clock(at)));
        let mut text = match self.fate {
            Fate::Survived => format!("survived: {}", why()),
            Fate::Lost | Fate::LostBefore => format!("lost{at}: {}", why()),
            Fate::WatcherGone => format!("over{at}: {} is gone", name(self.watcher)),
            Fate::Untried => "stands, untried: nothing was sent for it after the departure".into(),
            Fate::Ended => format!("ended{at}: the watcher wished so"),
            Fate::Later => "begun after the departure".to_owned(),
            Fate::Stands => format!("stands: {}", why()),
            Fate::Refused => format!("never granted: {}", why()),
        };
        if let Some(regained) = self.regained {
            text.push_str(&format!("; a new one was granted at {}", clock(regained)));
        }
        text
    }
}

/// What became of a subscription, and the turn that shows it.
fn judge(
    turns: &[Turn],
    granted: Option<SimTime>,
    departure: Option<SimTime>,
) -> (Fate, Option<Turn>) {
    let Some(granted) = granted else { return (Fate::Refused, turns.last().cloned()) };
    let Some(departure) = departure else {
        let last = turns.iter().rfind(|turn| turn.what != TurnKind::PeerGone);
        return (
            last.map_or(Fate::Stands, |turn| ended(turn).unwrap_or(Fate::Stands)),
            last.cloned(),
        );
    };
    if granted > departure {
        return (Fate::Later, None);
    }
    // At the departure itself hosts go: that is already its consequence.
    let (before, after): (Vec<&Turn>, Vec<&Turn>) =
        turns.iter().partition(|turn| turn.at < departure);
    let counts = |turn: &&&Turn| !matches!(turn.what, TurnKind::Notified | TurnKind::PeerGone);
    if let Some(last) = before.iter().rev().find(counts)
        && let Some(fate) = ended(last)
    {
        let fate = if fate == Fate::Lost { Fate::LostBefore } else { fate };
        return (fate, Some((*last).clone()));
    }
    // What shows most comes first: a renewal or an end, then a NOTIFY.
    if let Some(turn) = after.iter().find(counts) {
        let fate = ended(turn).unwrap_or(Fate::Survived);
        return (fate, Some((*turn).clone()));
    }
    match after.iter().find(|turn| turn.what == TurnKind::Notified) {
        Some(turn) => (Fate::Survived, Some((*turn).clone())),
        None => (Fate::Untried, None),
    }
}

/// How a subscription is over by this turn, if it is.
const fn ended(turn: &Turn) -> Option<Fate> {
    match turn.what {
        TurnKind::Active | TurnKind::Notified | TurnKind::PeerGone => None,
        TurnKind::Lost(_) | TurnKind::Dropped | TurnKind::Expired => Some(Fate::Lost),
        TurnKind::Ended => Some(Fate::Ended),
        TurnKind::WatcherGone => Some(Fate::WatcherGone),
    }
}

impl Turn {
    /// Why it came about.
    fn why(&self, name: &dyn Fn(HostId) -> String, peer: &str) -> String {
        let ways = |trip: &Trip| trip.in_words(name);
        match (&self.what, &self.trip) {
            (TurnKind::Active, Some(trip)) => {
                format!("its {} at {} {}", renewal(trip), clock(trip.began), ways(trip))
            }
            (TurnKind::Notified, Some(trip)) => {
                format!("{peer}'s NOTIFY at {} {}", clock(trip.began), ways(trip))
            }
            (TurnKind::Dropped, Some(trip)) => {
                format!("{peer}'s NOTIFY at {} {}", clock(trip.began), ways(trip))
            }
            (TurnKind::Lost(Loss::Failed(_)), Some(trip)) => {
                format!("its SUBSCRIBE at {} {}", clock(trip.began), ways(trip))
            }
            (TurnKind::Lost(loss), _) => loss_in_words(*loss),
            (TurnKind::Expired, _) => format!("its lease went by at {peer} without a renewal"),
            (TurnKind::Dropped, None) => format!("a NOTIFY of {peer} failed"),
            (TurnKind::Active | TurnKind::Notified, None) => "it was renewed".to_owned(),
            (TurnKind::Ended | TurnKind::WatcherGone | TurnKind::PeerGone, _) => String::new(),
        }
    }
}

fn renewal(trip: &Trip) -> &'static str {
    match (&trip.method, trip.cause) {
        (Method::Subscribe, crate::sip::agent::Cause::Refresh) => "refresh",
        (Method::Notify, _) => "NOTIFY",
        _ => "SUBSCRIBE",
    }
}

fn loss_in_words(loss: Loss) -> String {
    match loss {
        Loss::Failed(outcome) => format!("its SUBSCRIBE {}", outcome_in_words(outcome)),
        Loss::NotNotified => "no NOTIFY followed its SUBSCRIBE".to_owned(),
        Loss::Expired => "its lease went by without a renewal".to_owned(),
        Loss::Terminated => "a NOTIFY said that it is over".to_owned(),
        Loss::Rejected => "a NOTIFY said that it is not wanted".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Status;
    use crate::sip::agent::{Cause, Outcome};

    fn turn(at: u64, what: TurnKind) -> Turn {
        Turn { at: SimTime::from_secs(at), what, trip: None }
    }

    fn of(turns: Vec<Turn>, departure: Option<u64>) -> Subscription {
        let departure = departure.map(SimTime::from_secs);
        Subscription::new(HostId(1), HostId(2), turns, departure)
    }

    const TIMED_OUT: TurnKind = TurnKind::Lost(Loss::Failed(Outcome::Timeout));

    #[test]
    fn a_fate_is_what_shows_first_after_the_departure() {
        use TurnKind as T;
        // (turns, what became of it, when that showed) with a departure at 100 s.
        for (turns, fate, at) in [
            (vec![turn(1, T::Active)], Fate::Untried, None),
            (vec![turn(1, T::Active), turn(150, T::Active)], Fate::Survived, Some(150)),
            (vec![turn(1, T::Active), turn(150, T::Notified)], Fate::Survived, Some(150)),
            (
                vec![turn(1, T::Active), turn(120, T::Notified), turn(150, TIMED_OUT)],
                Fate::Lost,
                Some(150),
            ),
            (vec![turn(1, T::Active), turn(100, T::WatcherGone)], Fate::WatcherGone, Some(100)),
            (
                vec![turn(1, T::Active), turn(100, T::PeerGone), turn(150, TIMED_OUT)],
                Fate::Lost,
                Some(150),
            ),
            (vec![turn(1, T::Active), turn(150, T::Dropped)], Fate::Lost, Some(150)),
            (vec![turn(1, T::Active), turn(150, T::Ended)], Fate::Ended, Some(150)),
            (vec![turn(1, T::Active), turn(50, TIMED_OUT)], Fate::LostBefore, Some(50)),
            (
                vec![turn(1, T::Active), turn(50, TIMED_OUT), turn(60, T::Active)],
                Fate::Untried,
                None,
            ),
            (vec![turn(150, T::Active)], Fate::Later, None),
            (vec![turn(5, TIMED_OUT)], Fate::Refused, Some(5)),
        ] {
            let became = of(turns.clone(), Some(100));
            let showed = at.map(SimTime::from_secs);
            assert_eq!((became.fate, became.at), (fate, showed), "{turns:?}");
        }
        let stands = of(vec![turn(1, T::Active), turn(5, T::Active)], None);
        assert_eq!((stands.fate, stands.at), (Fate::Stands, Some(SimTime::from_secs(5))));
        assert_eq!(of(vec![turn(1, T::Active), turn(5, TIMED_OUT)], None).fate, Fate::Lost);
    }

    #[test]
    fn it_is_told_why() {
        let mut trip = Trip::new(Method::Subscribe, Cause::Refresh, SimTime::from_secs(149));
        trip.ended = Some((SimTime::from_secs(150), Outcome::Status(Status::NO_TRANSACTION)));
        let lost = TurnKind::Lost(Loss::Failed(Outcome::Status(Status::NO_TRANSACTION)));
        let lost = Turn { at: SimTime::from_secs(150), what: lost, trip: Some(trip) };
        let turns = vec![turn(1, TurnKind::Active), lost, turn(151, TurnKind::Active)];
        let name = |host: HostId| if host == HostId(1) { "bob".into() } else { "alice".into() };
        assert_eq!(
            of(turns, Some(100)).in_words(&name),
            "lost at 150 s: its SUBSCRIBE at 149 s was answered 481; a new one was granted at 151 s"
        );
        let gone = vec![turn(1, TurnKind::Active), turn(100, TurnKind::WatcherGone)];
        assert_eq!(of(gone, Some(100)).in_words(&name), "over at 100 s: bob is gone");
        let lapsed = vec![turn(1, TurnKind::Active), turn(160, TurnKind::Expired)];
        assert_eq!(
            of(lapsed, Some(100)).in_words(&name),
            "lost at 160 s: its lease went by at alice without a renewal"
        );
    }
}
