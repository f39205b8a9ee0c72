//! Prints the OpenAPI document of the API, which is served at `/openapi.json` and committed as
//! `simulator/openapi.json`.

fn main() {
    print!("{}", gizwits_simulator::openapi());
}
