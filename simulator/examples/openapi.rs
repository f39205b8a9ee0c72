//! Prints the OpenAPI document of the API, as it is committed beside this crate and served at
//! `/openapi.json`.

fn main() {
    print!("{}", gizwits_simulator::openapi());
}
