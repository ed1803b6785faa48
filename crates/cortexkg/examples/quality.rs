use cortexkg::*;
use std::collections::HashMap;
use std::time::Instant;
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let limit: usize = std::env::args().nth(2).map_or(usize::MAX, |s| s.parse().unwrap());
    let gz = format!("{dir}/records.csv.gz");
    let text = if std::path::Path::new(&gz).exists() {
        String::from_utf8(std::process::Command::new("zcat").arg(gz).output().unwrap().stdout).unwrap()
    } else {
        std::fs::read_to_string(format!("{dir}/records.csv")).unwrap()
    };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(|s| s.to_owned()).collect();
    let mut config = EngineConfig { ..EngineConfig::default() };
    if let Ok(p) = std::env::var("PRIOR") {
        config.prior_bits = p.parse().unwrap();
    }
    let mut engine = AllocationEngine::new(config);
    let mut node_of: HashMap<String, u64> = HashMap::new();
    let mut start = Instant::now();
    let all = Instant::now();
    let mut count = [0usize; 3];
    for (n, row) in reader.records().enumerate().take(limit) {
        let row = row.unwrap();
        let fact = Fact::record(
            header
                .iter()
                .zip(row.iter())
                .skip(1)
                .filter(|(_, v)| !v.is_empty())
                .map(|(h, v)| (h.as_str(), v)),
        )
        .with_id(&row[0]);
        let result = engine.allocate_fact(fact).unwrap();
        count[result.decision as usize] += 1;
        if std::env::var("WHY").is_ok() {
            eprintln!("{}", engine.explain(None, &row[0]).unwrap());
        }
        node_of.insert(row[0].to_owned(), result.allocated_node.0);
        if (n + 1) % 10000 == 0 {
            eprintln!(
                "{} {:.0}/s nodes {}",
                n + 1,
                10000.0 / start.elapsed().as_secs_f64(),
                engine.node_count()
            );
            start = Instant::now();
        }
    }
    let secs = all.elapsed().as_secs_f64();
    if std::env::var("MODEL").is_ok() {
        for f in engine.model() {
            eprintln!("{} {:?} {:.3?} {:.5?}", f.name, f.kind, f.probabilities.m, f.probabilities.u);
        }
    }
    let mut size: HashMap<u64, u64> = HashMap::new();
    node_of.values().for_each(|n| *size.entry(*n).or_default() += 1);
    let mut truth: HashMap<String, Vec<u64>> = HashMap::new();
    let mut cells: HashMap<(u64, String), u64> = HashMap::new();
    let mut lab: HashMap<u64, u64> = HashMap::new();
    let mut total = 0.0;
    let mut cl = csv::Reader::from_path(format!("{dir}/clusters.csv")).unwrap();
    for row in cl.records() {
        let row = row.unwrap();
        let Some(&n) = node_of.get(&row[0]) else { continue };
        truth.entry(row[1].to_owned()).or_default().push(n);
        *cells.entry((n, row[1].to_owned())).or_default() += 1;
        *lab.entry(n).or_default() += 1;
        total += 1.0;
    }
    if std::env::var("BIG").is_ok() {
        let mut big: Vec<_> = truth.iter().collect();
        big.sort_by_key(|(_, v)| std::cmp::Reverse(v.len()));
        for (c, v) in big.iter().take(10) {
            let mut parts: Vec<_> =
                cells.iter().filter(|((_, k), _)| k == *c).map(|((n, _), &x)| (x, size[n], *n)).collect();
            parts.sort();
            parts.reverse();
            println!("{c} {} parts {} {:?}", v.len(), parts.len(), &parts[..parts.len().min(6)]);
        }
    }
    let pairs = |n: u64| (n * (n - 1) / 2) as f64;
    let tp: f64 = cells.values().map(|&n| pairs(n)).sum();
    let pred: f64 = lab.iter().map(|(k, &n)| pairs(n) + (n * (size[k] - n)) as f64).sum();
    let act: f64 = truth.values().map(|v| pairs(v.len() as u64)).sum();
    let bp: f64 = cells.iter().map(|((k, _), &n)| (n * n) as f64 / size[k] as f64).sum::<f64>() / total;
    let br: f64 =
        cells.iter().map(|((_, c), &n)| (n * n) as f64 / truth[c].len() as f64).sum::<f64>() / total;
    let f = |p: f64, r: f64| 2.0 * p * r / (p + r);
    let (p, r) = (tp / pred, tp / act);
    println!("{} ", engine.state_hash());
    println!(
        "{dir} pair P {p:.4} R {r:.4} F {:.4}  b3 P {bp:.4} R {br:.4} F {:.4}  nodes {} existing/new/possible {:?} rate {:.0}/s",
        f(p, r),
        f(bp, br),
        size.len(),
        count,
        node_of.len() as f64 / secs
    );
}
