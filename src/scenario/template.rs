//! The commented scenario that `overcord init` writes.

/// A scenario with every section that this version knows, commented to teach.
pub const TEMPLATE: &str = include_str!("template.toml");

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::TEMPLATE;
    use crate::scenario::Scenario;
    use crate::scenario::schema::json_schema;

    #[test]
    fn the_template_is_a_sound_scenario() {
        let scenario = Scenario::parse("t.toml", TEMPLATE.as_bytes(), Path::new(""), &[]);
        assert_eq!(scenario.map(|s| s.plan.overlay.nodes).map_err(|r| r.to_string()), Ok(200));
    }

    #[test]
    fn what_it_says_is_the_default_except_for_the_story() {
        // Its sections are there, its values those of an empty section.
        let bare = "name = \"my-scenario\"\n[dns]\n[[dns.resolver]]\nname = \"isp\"\ncount = 8\n\
                    [dyndns]\n[churn]\n[handover]\n";
        let read = |text: &str| {
            Scenario::parse("t.toml", text.as_bytes(), Path::new(""), &[]).unwrap().plan
        };
        let (mut told, bare) = (read(TEMPLATE), read(bare));
        told.description.clear();
        told.callers.clear();
        told.events.clear();
        assert_eq!(told, bare);
    }

    #[test]
    fn it_mentions_every_key_of_every_section() {
        let schema = json_schema();
        for (section, property) in schema["properties"].as_object().unwrap() {
            assert!(TEMPLATE.contains(section.as_str()), "{section}");
            let table = property.get("items").unwrap_or(property);
            for key in table.get("properties").and_then(|p| p.as_object()).into_iter().flatten() {
                assert!(TEMPLATE.contains(key.0.as_str()), "{section}.{}", key.0);
            }
        }
    }
}
