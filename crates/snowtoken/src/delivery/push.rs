//! How a text gets to its taker: the vendor's own client, fed by its standard input. No value is ever
//! an argument. Nothing is started here.

use jiff::tz::TimeZone;
use zeroize::Zeroizing;

use super::text::Text;
use super::tree::Node;
use super::{Credentials, Format, Order, Piece, Unfit, lines, names};

/// One run of a program.
#[derive(Clone)]
pub struct Run {
    /// The program, as it is found by `PATH`.
    pub program: &'static str,
    /// Its arguments; nothing in them is secret.
    pub arguments: Vec<String>,
    /// What it reads from its standard input.
    pub input: Zeroizing<String>,
    /// Whether it opens its standard input more than once, as a file would allow.
    pub is_read_twice: bool,
    /// What to run instead if it fails with this word in what it says.
    pub otherwise: Option<(&'static str, Box<Run>)>,
}

impl Run {
    fn new(program: &'static str, arguments: &[&str], input: Zeroizing<String>) -> Self {
        let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
        Self { program, arguments, input, is_read_twice: false, otherwise: None }
    }

    /// The command as a person would type it with the text in a file.
    pub fn line_with(&self, file: &str) -> String {
        let mut quoted = Text::new();
        quoted.shell(file);
        let quoted = quoted.finish();
        if self.is_read_twice {
            self.line().replace("/dev/stdin", &quoted)
        } else {
            format!("{} <{}", self.line(), *quoted)
        }
    }

    /// The command as a person would type it.
    pub fn line(&self) -> String {
        let mut text = Text::new();
        text.push(self.program);
        for argument in &self.arguments {
            text.push(" ");
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=/.,:@+\"$".contains(c);
            if argument.chars().all(is_plain) && !argument.is_empty() {
                text.push(argument);
            } else {
                text.shell(argument);
            }
        }
        text.finish().to_string()
    }
}

impl Credentials<'_> {
    /// The runs that hand over this shape, in their order; none if there is no client for it.
    ///
    /// # Errors
    /// As [`Credentials::render`].
    pub fn runs(&self, order: &Order, output: Option<&str>) -> Result<Vec<Run>, Unfit> {
        let region = self.profile.region.as_deref();
        let text = || self.render(order);
        Ok(match order.format {
            Format::Appflow => {
                let verb = order.variant().split('-').next().unwrap_or("create");
                let verb = format!("{verb}-connector-profile");
                vec![aws(&["appflow", &verb], region, text()?)]
            }
            Format::AwsSecret => vec![self.aws_secret(order, &text()?)?],
            // Without templating: a secret may hold what looks like one of its variables.
            Format::SnowflakeSql => {
                let arguments = ["sql", "--stdin", "--enable-templating", "NONE"];
                vec![Run::new("snow", &arguments, text()?)]
            }
            Format::Vault if order.variant() == "cli" => {
                let path = names::name(order, self, &names::VAULT)?;
                let mount = names::typed_place(order, &names::VAULT_MOUNT)?.unwrap_or("secret");
                let mount = format!("-mount={mount}");
                vec![Run::new("vault", &["kv", "put", &mount, &path, "-"], text()?)]
            }
            // On the server's side: the client's own way would keep a copy of the values in an
            // annotation.
            Format::Kubernetes | Format::ExternalSecret => {
                vec![Run::new("kubectl", &["apply", "--server-side", "-f", "-"], text()?)]
            }
            Format::Github => {
                let repository = names::typed_place(order, &names::REPOSITORY)?;
                let mut arguments = vec!["secret", "set", "-f", "-"];
                arguments.extend(repository.iter().flat_map(|name| ["--repo", name]));
                vec![Run::new("gh", &arguments, text()?)]
            }
            Format::AzureKeyVault => self.azure(order)?,
            Format::OnePassword => {
                let vault = names::typed_place(order, &names::ONE_PASSWORD_VAULT)?;
                let mut arguments = vec!["item", "create"];
                arguments.extend(vault.iter().flat_map(|name| ["--vault", name]));
                arguments.push("-");
                vec![Run::new("op", &arguments, text()?)]
            }
            Format::Docker => {
                let name = names::name(order, self, &names::DOCKER)?;
                vec![Run::new("docker", &["secret", "create", &name, "-"], text()?)]
            }
            Format::SystemdCredential => self.systemd(order, output)?,
            _ => Vec::new(),
        })
    }

    /// A secret that is there already gets a new version; one that is not is made.
    fn aws_secret(&self, order: &Order, text: &str) -> Result<Run, Unfit> {
        let name = names::name(order, self, &names::AWS_SECRET)?;
        let input = |key: &'static str| {
            let node = Node::texts([
                (key, name.as_ref().into()),
                ("SecretString", text.trim_end().into()),
            ]);
            let mut text = Text::new();
            node.document(&mut text);
            text.finish()
        };
        let region = self.profile.region.as_deref();
        let mut put = aws(&["secretsmanager", "put-secret-value"], region, input("SecretId"));
        let create = aws(&["secretsmanager", "create-secret"], region, input("Name"));
        put.otherwise = Some(("ResourceNotFoundException", Box::new(create)));
        Ok(put)
    }

    fn azure(&self, order: &Order) -> Result<Vec<Run>, Unfit> {
        names::typed_place(order, &names::AZURE_VAULT)?.ok_or(Unfit::NoPlace("the key vault"))?;
        let mut runs = Vec::new();
        for (piece, value) in self.five() {
            let mut input = Text::new();
            input.push(&value);
            runs.push(Run {
                program: "az",
                arguments: lines::azure_arguments(self, order, piece)?,
                input: input.finish(),
                is_read_twice: false,
                otherwise: None,
            });
        }
        Ok(runs)
    }

    fn systemd(&self, order: &Order, output: Option<&str>) -> Result<Vec<Run>, Unfit> {
        let name = names::name(order, self, &names::SYSTEMD)?;
        let mut arguments = vec!["encrypt".to_owned(), format!("--name={name}")];
        if let Some(end) = self.held()?.refresh_expires_at {
            let end = TimeZone::UTC.to_datetime(end.at).strftime("%Y-%m-%d %H:%M:%S UTC");
            arguments.push(format!("--not-after={end}"));
        }
        arguments
            .extend(["-".to_owned(), output.map_or_else(|| format!("{name}.cred"), str::to_owned)]);
        let input = self.render(order)?;
        Ok(vec![Run { arguments, ..Run::new("systemd-creds", &[], input) }])
    }

    /// Every value that must not be seen, and the ways in which a program may repeat it.
    pub fn secrets(&self) -> Vec<Zeroizing<String>> {
        let mut found = Vec::new();
        for (piece, ..) in Piece::ALL.into_iter().filter(|(piece, ..)| piece.is_secret()) {
            let Some(value) = self.piece(piece) else { continue };
            let ways: [fn(&mut Text, &str); 7] = [
                Text::push,
                Text::json,
                json_twice,
                Text::shell,
                Text::base64,
                Text::base64_url,
                Text::url,
            ];
            for way in ways {
                let mut text = Text::new();
                way(&mut text, &value);
                let text = text.finish();
                // Without the quotes around it.
                let inside = text
                    .strip_prefix(['"', '\''])
                    .and_then(|text| text.strip_suffix(['"', '\'']))
                    .filter(|inside| !inside.is_empty());
                found.push(
                    inside.map_or_else(|| text.clone(), |inside| Zeroizing::new(inside.to_owned())),
                );
            }
        }
        found
    }
}

/// A document in a text of another one, without the outer quotes.
fn json_twice(text: &mut Text, value: &str) {
    let mut once = Text::new();
    once.json(value);
    let once = once.finish();
    text.json(once.trim_matches('"'));
}

fn aws(verb: &[&str], region: Option<&str>, input: Zeroizing<String>) -> Run {
    let mut arguments = verb.to_vec();
    arguments.extend(["--cli-input-json", "file:///dev/stdin"]);
    arguments.extend(region.iter().flat_map(|region| ["--region", region]));
    // It looks into the file once to see what kind it is, and once to read it.
    Run { is_read_twice: true, ..Run::new("aws", &arguments, input) }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Run({})", self.line())
    }
}
