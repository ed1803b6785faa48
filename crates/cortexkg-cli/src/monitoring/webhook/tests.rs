use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};

use cortexkg_scalable::{AlertEvent, AlertLevel, AlertMetric};

use super::*;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn impatient() -> Patience {
    Patience { attempt: ms(2_000), pauses: [ms(1), ms(2), ms(3)], refresh: ms(60_000), end: ms(5_000) }
}

fn alert(event: AlertEvent) -> Alert {
    Alert {
        name: "MemoryHigh".to_owned(),
        level: AlertLevel::Critical,
        event,
        metric: AlertMetric::MemoryBytes,
        value: Some(51e9),
        threshold: 50e9,
        summary: "memory runs out".to_owned(),
        since: Duration::from_secs(10),
        at: Duration::from_secs(40),
    }
}

/// Answers requests with these statuses, one after the other, the last for all that come later; tells path and body of each.
fn serve(statuses: &'static [u16]) -> (SocketAddr, Receiver<(String, serde_json::Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (told, requests) = mpsc::channel();
    thread::spawn(move || {
        for (at, stream) in listener.incoming().enumerate() {
            let mut reader = BufReader::new(stream.unwrap());
            let (mut first, mut length) = (String::new(), 0);
            reader.read_line(&mut first).unwrap();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let line = line.trim().to_ascii_lowercase();
                if let Some(given) = line.strip_prefix("content-length:") {
                    length = given.trim().parse().unwrap();
                }
                if line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let status = statuses.get(at).or(statuses.last()).unwrap();
            let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
            if told.send((first, serde_json::from_slice(&body).unwrap())).is_err() {
                return;
            }
        }
    });
    (address, requests)
}

fn start(url: &str, patience: Patience) -> (Webhook, WebhookSink) {
    Webhook::start(url, "g", 1_700_000_000, patience).unwrap()
}

#[test]
fn an_alert_arrives_as_alertmanager_has_it() {
    let (address, requests) = serve(&[200]);
    let (webhook, mut sink) = start(&format!("http://{address}"), impatient());
    sink.send(&alert(AlertEvent::Firing)).unwrap();
    let (first, body) = requests.recv().unwrap();
    assert_eq!(first, "POST /api/v2/alerts HTTP/1.1\r\n");
    let posted = &body[0];
    assert_eq!(posted["labels"]["alertname"], "MemoryHigh");
    assert_eq!(posted["labels"]["severity"], "critical");
    assert_eq!(posted["labels"]["graph"], "g");
    assert_eq!(posted["annotations"]["summary"], "memory runs out");
    assert_eq!(posted["startsAt"], "2023-11-14T22:13:30Z");
    assert!(posted["endsAt"].as_str().unwrap() > "2026", "not over yet: {posted}");
    sink.send(&alert(AlertEvent::Resolved)).unwrap();
    let (_, body) = requests.recv().unwrap();
    assert_eq!(body[0]["endsAt"], "2023-11-14T22:14:00Z");
    let shared = webhook.shared.clone();
    drop(sink);
    assert_eq!(webhook.finish(), None);
    assert_eq!(shared.delivered.load(Ordering::Relaxed), 2);
}

#[test]
fn what_fails_is_tried_again() {
    let (address, requests) = serve(&[500, 503, 200]);
    let (webhook, mut sink) = start(&format!("http://{address}/prefix/"), impatient());
    sink.send(&alert(AlertEvent::Firing)).unwrap();
    let bodies: Vec<_> = (0..3).map(|_| requests.recv().unwrap()).collect();
    assert!(bodies.iter().all(|request| *request == bodies[0]), "the same each time");
    assert!(bodies[0].0.starts_with("POST /prefix/api/v2/alerts "));
    drop(sink);
    assert_eq!(webhook.finish(), None);
}

#[test]
fn what_is_refused_as_it_is_is_not_tried_again() {
    let (address, requests) = serve(&[400]);
    let (webhook, mut sink) = start(&format!("http://user:secret@{address}"), impatient());
    sink.send(&alert(AlertEvent::Firing)).unwrap();
    requests.recv().unwrap();
    drop(sink);
    let note = webhook.finish().unwrap();
    assert!(note.contains("1 alerts did not reach http://127.0.0.1") && note.contains("400"), "{note}");
    assert!(!note.contains("secret"));
    assert!(requests.try_recv().is_err(), "once only");
}

#[test]
fn an_alert_that_goes_on_is_sent_again_until_it_is_over() {
    let (address, requests) = serve(&[200]);
    let (webhook, mut sink) =
        start(&format!("http://{address}"), Patience { refresh: ms(20), ..impatient() });
    sink.send(&alert(AlertEvent::Firing)).unwrap();
    for _ in 0..3 {
        let (_, body) = requests.recv().unwrap();
        assert_eq!(body[0]["labels"]["alertname"], "MemoryHigh");
    }
    sink.send(&alert(AlertEvent::Resolved)).unwrap();
    while requests.recv().unwrap().1[0]["endsAt"] != "2023-11-14T22:14:00Z" {}
    assert!(requests.recv_timeout(ms(100)).is_err(), "nothing after it is over");
    drop(sink);
    assert_eq!(webhook.finish(), None);
}

#[test]
fn nobody_there_holds_nobody_up_and_takes_no_memory() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let slow = Patience { pauses: [ms(60_000); 3], ..impatient() };
    let (webhook, mut sink) = start(&format!("http://{address}"), slow);
    let begin = Instant::now();
    let taken = (0..10_000).filter(|_| sink.send(&alert(AlertEvent::StillFiring)).is_ok()).count();
    assert!(begin.elapsed() < ms(2_000), "sending waits for nobody");
    assert!(taken <= 2 * QUEUE_MAX, "{taken}");
    drop(sink);
    let note = webhook.finish().unwrap();
    assert!(begin.elapsed() < ms(10_000), "the pauses of a minute are cut short");
    assert!(note.starts_with("note: 10000 alerts did not reach http://127.0.0.1:"), "{note}");
}

#[test]
fn somebody_who_never_answers_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (webhook, mut sink) = start(&url, Patience { attempt: ms(30_000), end: ms(100), ..impatient() });
    sink.send(&alert(AlertEvent::Firing)).unwrap();
    drop(sink);
    let begin = Instant::now();
    assert!(webhook.finish().unwrap().contains("did not take all alerts in time"));
    assert!(begin.elapsed() < ms(5_000));
}

#[test]
fn addresses_that_are_none_are_refused() {
    for url in ["", "localhost:9093", "ftp://x", "http://", "http:///x", "http://x/?a=b", "http://a b"] {
        let Err(Failure::Usage(told)) = address(url) else { panic!("{url:?} was taken") };
        assert!(told.contains("http://localhost:9093"), "{told}");
    }
    for url in ["http://x", "http://x/", "https://x:1/p", "http://[::1]:9093", "http://x/api/v2/alerts"] {
        assert_eq!(address(url).unwrap().matches(PATH).count(), 1, "{url}");
    }
    assert_eq!(without_secrets("https://u:p@x:1/y@z"), "https://x:1/y@z");
}
