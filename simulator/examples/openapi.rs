//! Prints the OpenAPI document of the API. The file `openapi.json` of this crate is a copy, and a simulator
//! serves the document at `/openapi.json`.

fn main() {
    print!("{}", gizwits_simulator::openapi());
}
