//! A deadline that has passed wakes its handler once a turn, and keeps nobody else waiting.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use reactor::{EventLoop, Fate, Handler, HandlerId};

/// Asks to be woken at once, again and again, and counts.
struct Hasty;

impl Handler<Vec<HandlerId>> for Hasty {
    fn elapsed(
        &mut self,
        woken: &mut Vec<HandlerId>,
        events: &mut EventLoop<Vec<HandlerId>>,
        me: HandlerId,
    ) -> Fate {
        woken.push(me);
        events.set_deadline(me, Some(events.now()));
        Fate::Keep
    }
}

#[test]
fn a_handler_that_is_always_due_acts_once_a_turn() {
    let mut events = EventLoop::new(1).unwrap();
    let mut woken = Vec::new();
    let hasty = events.add(Box::new(Hasty)).unwrap();
    let other = events.add(Box::new(Hasty)).unwrap();
    for handler in [hasty, other] {
        events.set_deadline(handler, Some(events.now()));
    }
    for turn in 1..=3 {
        events.turn(&mut woken, Some(Duration::ZERO)).unwrap();
        for handler in [hasty, other] {
            assert_eq!(woken.iter().filter(|one| **one == handler).count(), turn);
        }
    }
}
