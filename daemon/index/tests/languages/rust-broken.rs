fn before() {}

struct Before {
    field: u8,
}

fn broken(x: u8 {
    let y = ;
}

impl Before {
    fn method(&self) -> u8 { 1 }
}

fn after() {}
