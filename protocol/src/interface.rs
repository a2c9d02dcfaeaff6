//! How the interface is written down once: [`interface!`] makes of each method a line of jsonrpsee's
//! trait, by which it is served and called, and a row of the table that describes it.
//!
//! An area is `calls` or `streams`, and gets a trait:
//!
//! ```text
//! /// What the area is about.
//! calls ExampleApi {
//!     /// The summary, one sentence. More may follow.
//!     "example.double": double(
//!         /// A number.
//!         number: u32,
//!         /// How often; once if absent.
//!         times: Option<u32>,
//!     ) -> Doubled, fails BadPath | RootGone;
//! }
//! streams ExampleStreams {
//!     /// The same, one after the other.
//!     "example.follow" => "example.item", "example.stop": follow(number: u32) -> Item;
//! }
//! ```
//!
//! The types are names, or `Option<Name>`. `fails` names the kinds of errors that are the method's
//! own, besides those that any call can end with.

/// A method, as clients see it.
#[derive(Debug)]
pub struct Method {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its parameters, in the order that an array gives them in.
    pub params: &'static [Param],
    /// What belongs to it where it asks for a stream.
    pub subscription: Option<Subscription>,
}

/// A parameter.
#[derive(Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Whether it may be left out.
    pub optional: bool,
}

/// The three methods of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Asks for it.
    pub subscribe: &'static str,
    /// Names its notifications.
    pub notification: &'static str,
    /// Ends it.
    pub unsubscribe: &'static str,
}

/// Makes the schema of a type.
#[cfg(feature = "schema")]
pub(crate) type Schema = fn(&mut schemars::SchemaGenerator) -> schemars::Schema;

/// What a description says of a method. It stands in a table of its own, so that a client which looks
/// for a method does not carry all schemas, whatever features it was built with.
#[cfg(feature = "schema")]
#[derive(Debug)]
pub(crate) struct Docs {
    /// The summary, and what follows it.
    pub(crate) about: &'static str,
    /// The name of the result's type, of a stream its items'.
    pub(crate) result: &'static str,
    pub(crate) schema: Schema,
    /// What is said of each parameter, and its type.
    pub(crate) params: &'static [(&'static str, Schema)],
    /// The kinds of errors of its own.
    pub(crate) fails: &'static [crate::Kind],
    /// A file of `protocol/examples`.
    pub(crate) example: &'static str,
    /// Reads a result as a client does.
    #[cfg(test)]
    pub(crate) read: fn(&str) -> serde_json::Result<()>,
}

/// Whether two words are the same, for constants.
pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// See the head of this file.
///
/// jsonrpsee's attributes and `self` are given by the caller: names that a macro brings in itself are
/// unknown to the code that jsonrpsee makes.
macro_rules! interface {
    (($this:ident) $sides:tt $( $(#[doc = $doc:tt])* $sort:ident $area:ident { $($methods:tt)* } )*) => {
        $( area! { ($this) $sides $(#[doc = $doc])* $sort $area { $($methods)* } } )*

        /// All methods, by area. Those that end a subscription are named where it is asked for.
        pub const AREAS: &[&[Method]] = &[$( table! { $sort $($methods)* } ),*];

        /// What a description says of each, in the same order.
        #[cfg(feature = "schema")]
        pub(crate) const DOCS: &[&[crate::interface::Docs]] =
            &[$( docs! { $sort $($methods)* } ),*];
    };
}

/// The trait of an area.
macro_rules! area {
    (($this:ident) { $($sides:tt)* } $(#[doc = $doc:tt])* calls $area:ident { $(
        $(#[doc = $about:tt])*
        $name:literal: $method:ident($(
            $(#[doc = $_param:tt])* $param:ident: $type:ident $(<$inner:ident>)?
        ),* $(,)?) -> $result:ident $(, fails $($_kind:ident)|+)?;
    )* }) => {
        $($sides)*
        $(#[doc = $doc])*
        pub trait $area {
            $(
                $(#[doc = $about])*
                #[method(name = $name, param_kind = map)]
                async fn $method(&$this, $($param: $type $(<$inner>)?),*) -> RpcResult<$result>;
            )*
        }
    };
    (($this:ident) { $($sides:tt)* } $(#[doc = $doc:tt])* streams $area:ident { $(
        $(#[doc = $about:tt])*
        $name:literal => $event:literal, $stop:literal: $method:ident($(
            $(#[doc = $_param:tt])* $param:ident: $type:ident $(<$inner:ident>)?
        ),* $(,)?) -> $item:ident $(, fails $($_kind:ident)|+)?;
    )* }) => {
        $($sides)*
        $(#[doc = $doc])*
        pub trait $area {
            $(
                $(#[doc = $about])*
                #[subscription(
                    name = $name => $event,
                    unsubscribe = $stop,
                    item = $item,
                    param_kind = map
                )]
                async fn $method(
                    &$this,
                    $($param: $type $(<$inner>)?),*
                ) -> jsonrpsee::core::SubscriptionResult;
            )*
        }
    };
}

/// The rows of an area.
macro_rules! table {
    (calls $(
        $(#[doc = $_about:tt])*
        $name:literal: $_method:ident($($params:tt)*) -> $_result:ident $(, fails $($_kind:ident)|+)?;
    )*) => {
        &[$(Method { name: $name, params: params!($($params)*), subscription: None }),*]
    };
    (streams $(
        $(#[doc = $_about:tt])*
        $name:literal => $event:literal, $stop:literal: $_method:ident($($params:tt)*) -> $_item:ident
            $(, fails $($_kind:ident)|+)?;
    )*) => {
        &[$(Method {
            name: $name,
            params: params!($($params)*),
            subscription: Some(Subscription {
                subscribe: $name,
                notification: $event,
                unsubscribe: $stop,
            }),
        }),*]
    };
}

macro_rules! params {
    ($( $(#[doc = $_about:tt])* $param:ident: $type:ident $(<$_inner:ident>)? ),* $(,)?) => {
        &[$(Param {
            name: stringify!($param),
            optional: crate::interface::same(stringify!($type), "Option"),
        }),*]
    };
}

/// What is said of an area's methods.
#[cfg(feature = "schema")]
macro_rules! docs {
    (calls $(
        $(#[doc = $about:tt])*
        $name:literal: $_method:ident($($params:tt)*) -> $result:ident $(, fails $($kind:ident)|+)?;
    )*) => {
        &[$( docs!(@ $name, [$($about),*], ($($params)*), $result, [$($($kind),+)?]) ),*]
    };
    (streams $(
        $(#[doc = $about:tt])*
        $name:literal => $_event:literal, $_stop:literal: $_method:ident($($params:tt)*) -> $item:ident
            $(, fails $($kind:ident)|+)?;
    )*) => {
        &[$( docs!(@ $name, [$($about),*], ($($params)*), $item, [$($($kind),+)?]) ),*]
    };
    (@ $name:literal, [$($about:tt),*], ($(
        $(#[doc = $said:tt])* $_param:ident: $type:ident $(<$inner:ident>)?
    ),* $(,)?), $result:ident, [$($kind:ident),*]) => {
        crate::interface::Docs {
            about: concat!($($about, "\n"),*),
            result: stringify!($result),
            schema: |generator| generator.subschema_for::<$result>(),
            params: &[$((
                concat!("" $(, $said, "\n")*),
                |generator| generator.subschema_for::<$type $(<$inner>)?>(),
            )),*],
            fails: &[$(crate::Kind::$kind),*],
            example: include_str!(concat!("../examples/", $name, ".json")),
            #[cfg(test)]
            read: |json| serde_json::from_str::<$result>(json).map(drop),
        }
    };
}
