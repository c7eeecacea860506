//! Fairness, limits, closing and opening.

use super::*;
use crate::limits::TransportLimits;

const SECOND: Microseconds = 1_000_000;

fn scheduler(limits: TransportLimits) -> Scheduler {
    let mut scheduler = Scheduler::new();
    scheduler.set_limits("virtual", limits);
    scheduler
}

fn job(message: MessageKey, recipients: u32) -> Job {
    Job { message, recipients: (0..recipients).collect() }
}

fn reason() -> Reason {
    Reason { status: "4.4.1".into(), text: "connection refused".into() }
}

fn put(scheduler: &mut Scheduler, destination: &str, job: Job) {
    scheduler.enqueue(0, "virtual", destination, job, false).unwrap();
}

#[test]
fn a_destination_gets_as_many_at_a_time_as_its_window() {
    let mut scheduler = scheduler(TransportLimits::default());
    (0..10).for_each(|message| put(&mut scheduler, "a", job(message, 1)));
    let first: Vec<_> = std::iter::from_fn(|| scheduler.next(0)).collect();
    assert_eq!(first.len(), 5);
    scheduler.finished(0, first[0].ticket, Feedback::Alive, &reason(), SECOND);
    assert_eq!(
        std::iter::from_fn(|| scheduler.next(0)).count(),
        2,
        "one is over, and the window has grown by one"
    );
}

#[test]
fn a_list_of_thousands_does_not_hold_up_a_letter_to_one() {
    let mut scheduler =
        scheduler(TransportLimits { destination_concurrency: 1, ..TransportLimits::default() });
    put(&mut scheduler, "a", job(1, 10_000));
    put(&mut scheduler, "a", job(2, 1));
    let messages: Vec<_> = (0..3)
        .map(|_| {
            let delivery = scheduler.next(0).unwrap();
            scheduler.finished(0, delivery.ticket, Feedback::Alive, &reason(), SECOND);
            (delivery.job.message, delivery.job.recipients.len())
        })
        .collect();
    assert_eq!(messages, [(1, 50), (2, 1), (1, 50)]);
}

#[test]
fn every_recipient_is_delivered_once() {
    let mut scheduler = scheduler(TransportLimits::default());
    put(&mut scheduler, "a", job(1, 1234));
    let mut seen = Vec::new();
    while let Some(delivery) = scheduler.next(0) {
        scheduler.finished(0, delivery.ticket, Feedback::Alive, &reason(), SECOND);
        seen.extend(delivery.job.recipients);
    }
    assert_eq!(seen, (0..1234).collect::<Vec<_>>());
    assert_eq!(
        (scheduler.destinations(), scheduler.under_way()),
        (0, 0),
        "nothing is remembered of an idle destination"
    );
}

#[test]
fn transports_and_destinations_take_turns() {
    let mut scheduler = scheduler(TransportLimits::default());
    scheduler.set_limits("local", TransportLimits::default());
    (0..3).for_each(|message| put(&mut scheduler, "a", job(message, 1)));
    put(&mut scheduler, "b", job(9, 1));
    scheduler.enqueue(0, "local", "c", job(8, 1), false).unwrap();
    let order: Vec<_> =
        std::iter::from_fn(|| scheduler.next(0)).map(|delivery| delivery.destination.to_string()).collect();
    assert_eq!(order, ["a", "c", "a", "a", "b"], "messages in the order of their arrival");
}

#[test]
fn a_dead_destination_gives_its_jobs_back_and_opens_again() {
    let mut scheduler = scheduler(TransportLimits { initial_concurrency: 1, ..TransportLimits::default() });
    put(&mut scheduler, "a", job(1, 1));
    put(&mut scheduler, "a", job(2, 1));
    let delivery = scheduler.next(0).unwrap();
    let orphans = scheduler.finished(0, delivery.ticket, Feedback::Failed, &reason(), 300 * SECOND);
    assert_eq!(orphans, [job(2, 1)]);
    let refused = scheduler.enqueue(SECOND, "virtual", "a", job(3, 1), false);
    assert_eq!(refused, Err(Refused { reason: reason(), whole_transport: false }));
    assert_eq!(scheduler.enqueue(SECOND, "virtual", "a", job(4, 1), true), Ok(()), "a flush gets through");
    assert_eq!(scheduler.next(SECOND).map(|delivery| delivery.job), Some(job(4, 1)));
    assert_eq!(scheduler.enqueue(301 * SECOND, "virtual", "a", job(5, 1), false), Ok(()));
}

#[test]
fn a_closed_transport_gives_everything_back() {
    let mut scheduler = scheduler(TransportLimits::default());
    put(&mut scheduler, "a", job(1, 1));
    put(&mut scheduler, "b", job(2, 1));
    let mut back = scheduler.close_transport("virtual", 60 * SECOND, reason());
    back.sort_by_key(|job| job.message);
    assert_eq!(back, [job(1, 1), job(2, 1)]);
    assert!(scheduler.enqueue(SECOND, "virtual", "c", job(3, 1), false).is_err());
    assert_eq!(scheduler.next(SECOND), None);
    assert_eq!(scheduler.next_alarm(), Some(60 * SECOND));
    assert_eq!(scheduler.enqueue(60 * SECOND, "virtual", "c", job(3, 1), false), Ok(()));
    assert!(scheduler.next(60 * SECOND).is_some());
}

#[test]
fn a_delivery_that_reached_nobody_goes_first_again() {
    let mut scheduler = scheduler(TransportLimits::default());
    put(&mut scheduler, "a", job(1, 1));
    put(&mut scheduler, "a", job(2, 1));
    let delivery = scheduler.next(0).unwrap();
    scheduler.put_back(0, delivery);
    assert_eq!(scheduler.next(0).map(|delivery| delivery.job.message), Some(1));
}

#[test]
fn rate_delays_pause_destination_and_transport() {
    let mut scheduler =
        scheduler(TransportLimits { destination_rate_delay: SECOND, ..TransportLimits::default() });
    put(&mut scheduler, "a", job(1, 1));
    put(&mut scheduler, "a", job(2, 1));
    let delivery = scheduler.next(0).unwrap();
    assert_eq!(scheduler.next(0), None, "one at a time");
    scheduler.finished(0, delivery.ticket, Feedback::Alive, &reason(), 0);
    assert_eq!(scheduler.next(SECOND / 2), None);
    assert_eq!(scheduler.next_alarm(), Some(SECOND));
    assert_eq!(scheduler.next(SECOND).map(|delivery| delivery.job.message), Some(2));
    scheduler.set_limits(
        "virtual",
        TransportLimits { transport_rate_delay: SECOND, ..TransportLimits::default() },
    );
    put(&mut scheduler, "b", job(3, 1));
    assert_eq!(scheduler.next(SECOND), None, "the transport is busy");
}

#[test]
fn a_hundred_thousand_messages_are_no_burden() {
    let mut scheduler = scheduler(TransportLimits { initial_concurrency: 20, ..TransportLimits::default() });
    (0..100_000).for_each(|message| put(&mut scheduler, &format!("{}", message % 1000), job(message, 1)));
    let mut count = 0;
    while let Some(delivery) = scheduler.next(0) {
        scheduler.finished(0, delivery.ticket, Feedback::Alive, &reason(), 0);
        count += 1;
    }
    assert_eq!(count, 100_000);
}
