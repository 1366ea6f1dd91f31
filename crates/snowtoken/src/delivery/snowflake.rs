//! Snowflake: the security integration and the secret with the refresh token, or its renewal. The
//! refresh token's end is a moment in UTC that no token answer tells: it is known here.

use jiff::tz::TimeZone;

use super::text::Text;
use super::{Credentials, Order, Piece, Unfit, names};

pub(super) fn sql(credentials: &Credentials<'_>, order: &Order) -> Result<Text, Unfit> {
    let name = names::name(order, credentials, &names::SNOWFLAKE)?;
    let refresh_token = credentials.need(Piece::RefreshToken)?;
    let end = credentials.held()?.refresh_expires_at;
    let end = end.ok_or(Unfit::Missing(Piece::RefreshTokenEnd.words()))?;
    let end = TimeZone::UTC.to_datetime(end.at).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let mut text = Text::new();
    if order.variant() == "renew" {
        text.say(format_args!("ALTER SECRET {name} SET\n  OAUTH_REFRESH_TOKEN = "));
        text.snowflake(&refresh_token);
        text.say(format_args!(",\n  OAUTH_REFRESH_TOKEN_EXPIRY_TIME = '{end}';\n"));
        return Ok(text);
    }
    let integration = integration(&name);
    text.say(format_args!(
        "CREATE SECURITY INTEGRATION {integration}\n  TYPE = API_AUTHENTICATION\n  AUTH_TYPE = OAUTH2\n  \
         OAUTH_CLIENT_AUTH_METHOD = CLIENT_SECRET_POST\n  OAUTH_CLIENT_ID = "
    ));
    text.snowflake(&credentials.need(Piece::ClientId)?);
    text.push("\n  OAUTH_CLIENT_SECRET = ");
    text.snowflake(&credentials.need(Piece::ClientSecret)?);
    text.push("\n  OAUTH_TOKEN_ENDPOINT = ");
    text.snowflake(&credentials.need(Piece::TokenUrl)?);
    text.say(format_args!(
        "\n  ENABLED = TRUE;\nCREATE SECRET {name}\n  TYPE = OAUTH2\n  OAUTH_REFRESH_TOKEN = "
    ));
    text.snowflake(&refresh_token);
    text.say(format_args!(
        "\n  OAUTH_REFRESH_TOKEN_EXPIRY_TIME = '{end}'\n  API_AUTHENTICATION = {integration};\n"
    ));
    Ok(text)
}

/// Integrations belong to the account: they have no database and no schema.
fn integration(secret: &str) -> String {
    let last = secret.rsplit('.').next().unwrap_or(secret);
    format!("{last}_oauth")
}
