//! The error codes of the API.

use std::fmt;

/// The kind of an error code. Callers handle all codes of one kind in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A parameter of the request is wrong.
    Input,
    /// An id or secret is wrong.
    Credential,
    /// The token is wrong or too old.
    Auth,
    /// The call is not allowed, or not to this machine.
    Permission,
    /// The object does not exist.
    NotFound,
    /// The call conflicts with an object that exists.
    Conflict,
    /// The state of the device doesn't allow the call.
    State,
    /// The result is not ready yet.
    NotReady,
    /// The rate limit is reached.
    Rate,
    /// The call failed between server and device, and may succeed the next time.
    Transient,
    /// The server failed, and the request is not the reason.
    Server,
    /// The code is not documented.
    Unknown,
}

/// The condition under which the same request may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Repeat {
    /// Never: the request, or the data that it refers to, must be changed first.
    Never,
    /// With a new token.
    NewToken,
    /// When the rate limit is reset.
    WhenReset,
    /// After a change that the client has no influence on, for example when a report is generated or a
    /// device comes online.
    Later,
    /// At once, if the request may be sent again.
    Soon,
    /// At once, but only if a second request is harmless: the server may have sent the command.
    IfHarmless,
}

macro_rules! codes {
    ($($number:literal $name:ident $kind:ident $repeat:ident $label:literal $remedy:literal)*) => {
        /// An error code of the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $(#[doc = concat!("`", stringify!($number), "` ", $label)] $name,)*
            /// A code that is not documented.
            Unknown(u32),
        }

        impl ErrorCode {
            /// Every documented code.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$name),*];

            /// The number of the code in an answer.
            #[must_use]
            pub fn number(self) -> u32 {
                match self {
                    $(ErrorCode::$name => $number,)*
                    ErrorCode::Unknown(number) => number,
                }
            }

            /// The text of the code in the API documentation.
            #[must_use]
            pub fn label(self) -> &'static str {
                self.entry().0
            }

            /// The kind of the error.
            ///
            /// # Examples
            /// ```
            /// use gizwits_enterprise_client::{ErrorCode, ErrorKind};
            ///
            /// assert_eq!(ErrorCode::from(5305), ErrorCode::DeviceOffline);
            /// assert_eq!(ErrorCode::DeviceOffline.kind(), ErrorKind::State);
            /// ```
            #[must_use]
            pub fn kind(self) -> ErrorKind {
                self.entry().1
            }

            /// The condition under which the same request may succeed.
            #[must_use]
            pub fn repeat(self) -> Repeat {
                self.entry().2
            }

            /// Advice for the caller, without a capital letter or a full stop. Empty for an unknown code.
            #[must_use]
            pub fn remedy(self) -> &'static str {
                self.entry().3
            }

            fn entry(self) -> (&'static str, ErrorKind, Repeat, &'static str) {
                match self {
                    $(ErrorCode::$name => ($label, ErrorKind::$kind, Repeat::$repeat, $remedy),)*
                    ErrorCode::Unknown(_) => {
                        ("not a documented code", ErrorKind::Unknown, Repeat::Never, "")
                    }
                }
            }
        }

        impl From<u32> for ErrorCode {
            fn from(number: u32) -> Self {
                match number {
                    $($number => ErrorCode::$name,)*
                    number => ErrorCode::Unknown(number),
                }
            }
        }
    };
}

codes! {
    5001 BodyJsonInvalid Input Never "body json invalid" "check the JSON of the body"
    5002 FormInvalid Input Never "form invalid" "check the parameters"
    5003 EnterpriseIdNotExist Credential Never "enterprise id not exist" "check the enterprise id"
    5004 EnterpriseSecretError Credential Never "enterprise secret error"
        "check the enterprise secret"
    5005 ProductSecretError Credential Never "product secret error" "check the product secret"
    5006 ProductExistDeviceGroups Conflict Never "product exist devicegroups"
        "delete the product's device groups first"
    5007 AssociationNotExist Permission Never "association not exist"
        "associate the product with the enterprise in the console first"
    5008 AssociationExisted Conflict Never "association existed" "the product is associated already"
    5009 TokenInvalid Auth NewToken "token invalid"
        "get a new token; the header is `Authorization: token <token>`"
    5010 TokenNotMatchProductKey Auth NewToken "token not match product_key"
        "use a token of this product"
    5011 TokenExpired Auth NewToken "token has expired" "get a new token"
    5012 IpNotInWhiteList Permission Never "ip not in white list"
        "add this machine's public IP to the Enterprise API white list"
    5013 RateLimitExceeded Rate WhenReset "API call rate limit execeed quota"
        "wait until the rate limit is reset"
    5014 ReportNotGenerated NotReady Later "Report has not been generated!"
        "try again in some hours: reports are generated once a day"
    5015 ProductKeyNotExist NotFound Never "Product key not exist!" "check the product key"
    5016 AppidNotExist NotFound Never "Appid not exist!" "check the appid"
    5017 UidNotExist NotFound Never "Uid not exist!" "check the uid"
    5018 ProductOperationNotAllowed Permission Never "product operation not allowed"
        "check the rights on the product in the console"
    5019 OrganizationNotExist NotFound Never "organization does not exist" "check the organization"
    5020 CanNotDeletePublishedProduct Conflict Never "can not delete published product!"
        "a published product can't be deleted"
    5021 EnterpriseExists Conflict Never "enterprise is exist" "the enterprise exists already"
    5022 EnterpriseNotExist NotFound Never "enterprise does not exist" "check the enterprise"
    5023 EnterpriseIsCreating NotReady Later "enterprise is creating"
        "wait until the enterprise is created"
    5024 ApiDenied Permission Never "api deny to visit!"
        "the product can't use this call: published products have no logs, and some reports exist only in China"
    5025 ProductNotExist NotFound Never "product does not exist" "check the product"
    5201 GroupNotOfProduct Permission Never "device group not belong to this product"
        "use a group of this product"
    5202 ParentGroupNotExist NotFound Never "parent group not exist" "check the parent's gid"
    5203 RootGroupExists Conflict Never "already has one root group"
        "set a parent group: a product has only one root group"
    5204 GroupHasSubgroup Conflict Never "group has subgroup" "delete the groups in it first"
    5205 GroupHasDevice Conflict Never "group has device item" "unassign the devices in it first"
    5206 GroupNotExist NotFound Never "group not exist" "check the gid"
    5207 ProductKeyNotInPreAssignment Input Never "product key not in pre assignment!"
        "check the product key"
    5208 AssignInProgress NotReady Later "create assign device in progress!"
        "wait until the assignment is done"
    5301 DeviceNotExist NotFound Never "device not exist" "check the did"
    5302 DeviceNotOfProduct Permission Never "device not belong to this product"
        "use the product that the device belongs to"
    5303 DeviceNotBound State Never "device not bound" "bind the device to a user first"
    5304 DeviceDisabled State Never "device is disabled" "activate the device"
    5305 DeviceOffline State Later "device offline!" "bring the device online"
    5401 AttrInvalid Input Never "attr invalid!" "compare the attrs with the product's data points"
    5402 DatapointNotFound NotFound Never "datapoint data not found!"
        "define the product's data points"
    5403 SendCommandFailed Transient IfHarmless "send command failed!"
        "check whether the device executed the command before you send it again"
    5404 RemoteControlNotAllowed Permission Never "remote control not allowed!"
        "enable remote control of the product in the console"
    5405 AttrsNotExist Input Never "attrs not exist!"
        "compare the attrs with the product's data points"
    5406 DatapointsMalformed Server Never "Datapoints malformed"
        "save the product's data points in the console again"
    5407 GenerateMetaFailed Server Soon "generate meta failed" "try again"
    5408 RawDataError Input Never "raw data error!"
        "raw is a list of bytes, or hex or base64 with binary_coding"
    5409 CallInnerApiFailed Server Soon "call innerapi failed!" "try again"
    5501 FirmwareNotExist NotFound Never "firmware does not exist" "check the firmware"
    5502 FirmwareVersionExists Conflict Never "firmware version has created" "use another version"
    5503 FirmwareOperationNotAllowed Permission Never "firmware operation not allowed"
        "check the rights on the firmware in the console"
    5601 KairosdbQueryError Server Soon "kairosdb query error!" "try again"
    5701 NoPermissionToResetPassword Permission Never "This eid has no permission to reset pwd."
        "ask Gizwits for the right"
    5702 NoPermissionToResetPasswordOfApp Permission Never
        "This eid has no permission to reset pwd for this appid."
        "ask Gizwits for the right"
    5703 AnonymousUserHasNoPassword Input Never "Cannot reset pwd for anonymous user"
        "anonymous users have no password"
    5801 ProductsNotAssociated Permission Never "the pks has not associate with enterprise!"
        "associate the products with the enterprise in the console first"
    5901 ServiceSecretInvalid Credential Never "x-service secret key invalid!"
        "check the key of the service"
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.number(), self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_there_once() {
        assert_eq!(ErrorCode::ALL.len(), 56);
        let numbers: Vec<u32> = ErrorCode::ALL.iter().map(|code| code.number()).collect();
        assert!(numbers.is_sorted_by(|one, next| one < next));
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::from(code.number()), *code);
            assert_ne!(code.kind(), ErrorKind::Unknown, "{code}");
            assert!(
                !code.label().is_empty() && !code.remedy().is_empty(),
                "{code}"
            );
            let again = matches!(code.repeat(), Repeat::Soon | Repeat::IfHarmless);
            assert!(!again || matches!(code.kind(), ErrorKind::Server | ErrorKind::Transient));
        }
        let unknown = ErrorCode::from(7777);
        assert_eq!(
            (unknown, unknown.number()),
            (ErrorCode::Unknown(7777), 7777)
        );
        assert_eq!(unknown.to_string(), "7777 (not a documented code)");
    }
}
