//! Messages of any content that the types and the grammar allow.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::super::decode;
use crate::address::{Address, Port};
use crate::sip::encode::{encode, encoded_len};
use crate::sip::header::{
    Contact, Contacts, EventPackage, Headers, NameAddress, SubscriptionState, Via,
};
use crate::sip::message::{Message, Method, Request, Response, Status};
use crate::sip::uri::{HostPart, Parameter, SipUri, Uri};

/// A text that matches.
fn text(pattern: &'static str) -> impl Strategy<Value = Arc<str>> {
    pattern.prop_map(Arc::from)
}

fn token() -> impl Strategy<Value = Arc<str>> {
    text("[A-Za-z0-9.!%*_+`'~-]{1,12}")
}

/// What a field that is not typed may say: nothing in front or behind that is white space.
fn free() -> impl Strategy<Value = Arc<str>> {
    text("([!-~ü€😀]([ -~ü€😀\t]{0,20}[!-~ü€😀])?)?")
}

fn hosts() -> impl Strategy<Value = HostPart> {
    prop_oneof![
        "[a-z0-9_-]{1,6}(\\.[a-z0-9-]{1,6}){0,2}\\.[a-z][a-z0-9]{0,4}\\.?"
            .prop_map(|name| HostPart::name(&name)),
        any::<u32>().prop_map(|bits| HostPart::Address(Address::from_bits(bits))),
        any::<[u16; 8]>().prop_map(|words| HostPart::Ipv6(words.into())),
    ]
}

fn ports() -> impl Strategy<Value = Option<Port>> {
    option::of(any::<u16>().prop_map(Port))
}

fn parameters_of_uris() -> impl Strategy<Value = Vec<Parameter>> {
    let part = || text("([A-Za-z0-9_.&$/:+!~*'()\\[\\]-]|%[0-9A-Fa-f]{2}){1,6}");
    vec((part(), option::of(part())).prop_map(|(name, value)| Parameter { name, value }), 0..3)
}

fn uris() -> impl Strategy<Value = Uri> {
    let user = text("([A-Za-z0-9_.!~*'()&=+$,;?/-]|%[0-9A-Fa-f]{2}){1,8}(:[a-z&=+$,]{0,4})?");
    let headers = text("[a-z]{1,4}=[a-z/?:$]{0,4}(&[a-z]{1,4}=%20)?");
    let sip = (
        any::<bool>(),
        option::of(user),
        hosts(),
        ports(),
        parameters_of_uris(),
        option::of(headers),
    )
        .prop_map(|(secure, user, host, port, parameters, headers)| {
            Uri::Sip(SipUri { secure, user, host, port, parameters, headers })
        });
    prop_oneof![4 => sip, 1 => text("(tel|urn|http):[a-z0-9/?;#@=+-]{1,12}").prop_map(Uri::Other)]
}

/// Parameters whose names mean nothing to any field.
fn parameters() -> impl Strategy<Value = Vec<Parameter>> {
    let quoted = text("\"([^\r\n\"\\\\]|\\\\[\"\\\\a])*\"");
    let value = prop_oneof![token(), quoted, Just("[::1]".into())];
    let parameter = (text("x-[a-z]{0,4}"), option::of(value));
    vec(parameter.prop_map(|(name, value)| Parameter { name, value }), 0..3)
}

fn addresses() -> impl Strategy<Value = NameAddress> {
    let display = text("[^\r\n]{0,10}");
    (option::of(display), uris(), option::of(token()), parameters())
        .prop_map(|(display, uri, tag, parameters)| NameAddress { display, uri, tag, parameters })
}

fn vias() -> impl Strategy<Value = Via> {
    let received = option::of(any::<u32>().prop_map(Address::from_bits));
    (token(), hosts(), ports(), option::of(token()), received, option::of(ports()), parameters())
        .prop_map(|(transport, host, port, branch, received, rport, parameters)| Via {
            transport,
            host,
            port,
            branch,
            received,
            rport,
            parameters,
        })
}

fn contacts() -> impl Strategy<Value = Contacts> {
    let contact = (addresses(), option::of(any::<u32>()), option::of(0u16..=1000))
        .prop_map(|(address, expires, q)| Contact { address, expires, q });
    prop_oneof![
        Just(Contacts::None),
        Just(Contacts::All),
        vec(contact, 1..4).prop_map(Contacts::Some),
    ]
}

fn states() -> impl Strategy<Value = SubscriptionState> {
    let seconds = || option::of(any::<u32>());
    prop_oneof![
        seconds().prop_map(|expires| SubscriptionState::Active { expires }),
        seconds().prop_map(|expires| SubscriptionState::Pending { expires }),
        (option::of(token()), seconds()).prop_map(|(reason, retry_after)| {
            SubscriptionState::Terminated { reason, retry_after }
        }),
    ]
}

fn headers() -> impl Strategy<Value = Headers> {
    let call_id = text("[A-Za-z0-9.!%*_+`'~()<>:\\\\\"/\\[\\]?{}@-]{1,16}");
    let base = (addresses(), addresses(), call_id, 0u32..1 << 31)
        .prop_map(|(from, to, call_id, cseq)| Headers::new(from, to, call_id, cseq));
    let routes = || vec(addresses(), 0..3);
    let numbers = any::<[Option<u32>; 3]>();
    let event = (token(), option::of(token()));
    let texts = (option::of(token()), option::of(token()), option::of(free()), option::of(free()));
    let other = vec((text("X-[A-Za-z0-9.!%*_+`'~-]{0,6}"), free()), 0..4);
    (
        (base, vec(vias(), 0..4), option::of(any::<u8>()), routes(), routes(), contacts()),
        (numbers, option::of(event), option::of(states()), texts, other),
    )
        .prop_map(|((base, via, max_forwards, route, record_route, contact), rest)| {
            let (numbers, event, subscription_state, texts, other) = rest;
            let [expires, min_expires, retry_after] = numbers;
            let (etag, if_match, product, content_type) = texts;
            Headers {
                via,
                max_forwards,
                route,
                record_route,
                contact,
                expires,
                min_expires,
                event: event.map(|(package, id)| EventPackage { package, id }),
                subscription_state,
                etag,
                if_match,
                retry_after,
                product,
                content_type,
                other,
                ..base
            }
        })
}

fn methods() -> impl Strategy<Value = Method> {
    prop_oneof![
        prop::sample::select(vec![
            Method::Invite,
            Method::Ack,
            Method::Cancel,
            Method::Bye,
            Method::Register,
            Method::Options,
            Method::Message,
            Method::Subscribe,
            Method::Notify,
            Method::Publish,
        ]),
        text("x[A-Za-z0-9.!%*_+`'~-]{0,8}").prop_map(Method::Other),
    ]
}

fn messages() -> impl Strategy<Value = Message> {
    let body = || vec(any::<u8>(), 0..40).prop_map(Arc::from);
    // No standard phrase begins with a small letter.
    let start = (100u16..700, option::of(text("[a-zü ][^\r\n]{0,12}")), methods());
    let uri = uris().prop_map(|uri| match uri {
        Uri::Sip(sip) => Uri::Sip(SipUri { headers: None, ..sip }),
        other => other,
    });
    prop_oneof![
        (methods(), uri, headers(), body()).prop_map(|(method, uri, headers, body)| {
            Request { method, uri, headers, body }.into()
        }),
        (start, headers(), body()).prop_map(|((code, reason, method), headers, body)| {
            let status = Status::new(code).unwrap();
            Response { status, reason, method, headers, body }.into()
        }),
    ]
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 512,
        rng_seed: RngSeed::Fixed(3261),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_message_is_read_as_it_was_written_and_has_its_length(message in messages()) {
        let octets = encode(&message);
        prop_assert_eq!(octets.len(), encoded_len(&message) as usize);
        prop_assert_eq!(decode(&octets), Ok(message));
    }
}
