//! Every sentence of the pages, in one place: another language is another value of [`Texts`].

macro_rules! texts {
    ($($name:ident = $text:literal;)*) => {
        /// The sentences by name.
        #[derive(Debug)]
        pub struct Texts { $(#[doc = concat!("The sentence of `", stringify!($name), "`.")] pub $name: &'static str,)* }

        /// English.
        pub static EN: Texts = Texts { $($name: $text,)* };
    };
}

texts! {
    lang = "en";
    skip = "Skip to the page";
    home = "Overview";
    stop = "Close the wizard";
    foot = "These pages come from your own computer. Nothing is sent anywhere but to your ServiceNow instance.";
    next = "Continue";
    back = "Back";
    again = "Try again";
    copy = "Copy";
    copied = "Copied";
    copied_secret = "Copied for 45 seconds";
    not_copied = "Your browser did not allow it";
    show_more = "More about this";

    rail = "The steps of the journey";
    rail_where = "Where to";
    rail_client = "OAuth client";
    rail_secret = "ID and secret";
    rail_allow = "Allow";
    rail_proof = "Proof";
    rail_hand_over = "Hand over";

    home_title = "Your connections";
    home_lead = "Each of them is a ServiceNow instance, an OAuth client on it, and the tokens that a product was given.";
    home_none = "There is no connection yet. Making one takes about ten minutes; you need somebody with administrator rights on the ServiceNow instance.";
    home_new = "Make a connection";
    home_resume = "You were in the middle of something:";
    home_resume_go = "Go on";
    home_name = "Connection";
    home_instance = "Instance";
    home_user = "As whom";
    home_end = "Somebody must sign in again";

    target_title = "What are the tokens for?";
    target_lead = "Products want different things. Choose the one whose form you have in front of you.";
    target_more = "Other products";
    place_title = "Which ServiceNow instance?";
    place_instance = "Instance";
    place_instance_hint = "What stands in your browser's address bar when you work in ServiceNow: the name before .service-now.com, or the whole address.";
    place_region = "AWS region";
    place_region_hint = "The product's own people tell you the region. It is part of an address that must match character by character.";
    place_region_missing = "Choose one of the list.";
    place_redirect_missing = "The product shows it: copy it from there.";
    place_name_unfit = "A name is made of a-z, 0-9, dots and hyphens, and begins with a letter or digit.";
    place_redirect = "Redirect URL";
    place_redirect_hint = "The product shows it, often as \"callback URL\".";
    place_name = "Name of this connection";
    place_name_hint = "For yourself: small letters, digits, dots and hyphens.";
    place_name_taken = "There is another connection of this name already, so take another name. It is for";
    checking_title = "Looking whether the instance answers";
    checking_lead = "This takes a few seconds.";
    checked_title = "The instance answers";
    checked_bad_title = "There is something in the way";

    way_title = "The OAuth client";
    way_lead = "ServiceNow hands tokens only to a client that is registered there. Somebody with administrator rights makes it, once.";
    way_apply = "Make it for me";
    way_apply_text = "You sign in as an administrator here, once. The quickest way.";
    way_script = "Give me one script to paste";
    way_script_text = "For System Definition > Scripts - Background. Good if your password must not leave the instance.";
    way_checklist = "Show me each click";
    way_checklist_text = "Both ServiceNow screens, every value ready to copy.";
    way_there = "It exists already";
    way_there_text = "You have its client ID and secret.";

    apply_title = "Sign in as an administrator, once";
    apply_lead = "With this name and password the client is made on your instance by its Table API. They are used for that, sent nowhere else, and kept nowhere.";
    apply_user = "User name";
    apply_password = "Password";
    apply_hint = "A user with the role admin or oauth_admin. Where people sign in by single sign-on this needs a local password; if there is none, take one of the other ways.";
    apply_user_unfit = "A user name has at most 100 visible characters, and no colon.";
    apply_password_missing = "The password is missing.";
    apply_public = "The client of this connection has no secret, and cannot be made this way. Take one of the other ways.";
    apply_not_looked_up = "A name holds a ^, which cannot be looked up this way. Take one of the other ways.";
    apply_go = "Make the client";
    applying_title = "Making the client";
    apply_done_title = "What was done on the instance";
    applied_made = "made";
    applied_changed = "changed";
    applied_nothing = "nothing";
    applied_as_it_was = "as it was";
    applied_skipped = "left out";
    applied_could_not = "could not be done";
    applied_place = "client ID and redirect URL";
    applied_taken = "the instance goes on to its sign-in";
    applied_uri_unknown = "the instance says that it does not know the redirect URL";
    applied_client_unknown = "the instance says that it does not know the client ID";
    applied_place_unknown = "the instance does not tell before somebody signs in";

    script_title = "Paste one script";
    script_lead = "The script makes the client, or mends the one that is there; it removes nothing. It holds the new client secret: treat it like a password.";
    script_open = "Open Scripts - Background";
    script_step_open = "Open Scripts - Background on your instance. You may have to elevate your role to security_admin first (your picture, top right).";
    script_step_paste = "Copy the script, paste it into the large field, and leave the scope at \"global\".";
    script_step_run = "Press Run script. Below the field it says what it did and what it could not do.";
    script_copy = "Copy the script";
    script_download = "Download the script";
    script_go = "It ran, go on";

    clicks_title = "Every click";
    clicks_lead = "Tick off what is done. You can close this page and go on later.";
    clicks_screen = "Which screen do you see?";
    clicks_tick = "Done";
    clicks_untick = "Not done after all";
    clicks_is_done = "done";
    clicks_trap = "Watch out:";
    clicks_drawing = "Where it goes on the form";
    clicks_go = "All done, go on";
    clicks_open = "Open";

    client_title = "Client ID and secret";
    client_lead = "Both stand on the client's record on the instance. The secret is stored sealed on this computer and not shown again.";
    client_id = "Client ID";
    client_id_hint = "Usually 32 characters, 0-9 and a-f.";
    client_secret = "Client secret";
    client_secret_hint = "Click the lock beside the field on the record to see it.";
    client_secret_kept = "A secret is stored already. Leave this empty to keep it.";
    check_blank = "There is a blank in it: was something copied along?";
    check_url = "This looks like an address, not like an ID.";
    check_same = "This is the client ID once more.";

    allow_title = "Allow it in ServiceNow";
    allow_lead = "ServiceNow opens in a new tab. Sign in as the user that the tokens shall belong to, and press Allow.";
    allow_user = "Not your own account, if you can help it: what that user may see, the product may see, and the tokens end when the user leaves.";
    allow_open = "Open ServiceNow";
    allow_bar_title = "Then the address bar looks like this";
    allow_bar_text = "The page itself may look like an error, or like a sign-in of AWS. That is as it should be: only the address matters. Copy all of it, and paste it here within 60 seconds.";
    allow_paste = "The address";
    allow_paste_hint = "All of it, however long. Paste only what your own browser shows, never what somebody sent you.";
    allow_go = "Take the tokens";
    allow_waits = "Nothing has to be pasted: the browser comes back here by itself.";
    allow_seconds = "If you pressed Allow, paste the address now. Seconds left, about:";
    allow_too_late = "If you pressed Allow, its code has ended by now. Open ServiceNow once more.";

    exchanging_title = "Taking the tokens";
    unstored_title = "The tokens could not be stored";
    unstored_text = "They are not lost: they are in memory here, and nowhere else, until this program ends. Mend what is in the way, and store them.";
    unstored_again = "Store them now";
    unstored_discard = "Give them up and sign in again";
    unstored_download = "Download them as a file";
    denied_title = "Allow was not pressed";
    denied_text = "ServiceNow reports that consent was denied. Nothing was stored, and nothing was lost.";
    expired_title = "The code had ended";
    expired_text = "The code in the address lives 60 seconds, and can be used once. Open ServiceNow again and paste sooner. If it happens although you were quick, look at ID and secret once more.";
    refused_title = "ServiceNow refused the code";
    refused_text = "It was fresh, so nobody was too late. Then the client secret, the redirect URL or the scopes are not those of the client's record, or this user may not sign in that way. Look at ID and secret first.";
    wrong_window_title = "That address belongs to another window";
    wrong_window_text = "It carries the mark of another sign-in, perhaps of an older tab. Close the other tabs, open ServiceNow from here, and paste the address of the tab that opens.";
    wrong_user_title = "Somebody else signed in";
    wrong_user_text = "The tokens belong to another user than before. Your browser was probably still signed in: press \"Not you?\" on the consent page, or use a private window. If the tokens shall belong to the new user from now on, say so below and sign in once more; those of the user before live on until their end.";
    wrong_user_take = "They shall belong to the new user";
    mishap_title = "That did not work";
    mishap_again = "Open ServiceNow again";
    mishap_recheck = "Look at ID and secret";
    mishap_why = "Why, and what to do";

    proving_title = "Trying the tokens";
    proof_title = "The tokens work";
    proof_not_title = "The tokens do not work now";
    proof_user = "They belong to";
    proof_reads = "What they can read";
    proof_timeline = "When they end";
    proof_access = "access token";
    proof_refresh = "refresh token";
    proof_now = "now";
    known_stated = "as it was stated";
    known_derived = "reckoned from its lifespan";
    known_observed = "seen to have ended";
    proof_access_note = "is renewed by itself as long as the refresh token lives";
    proof_refresh_note = "then somebody must sign in again";

    hand_over_title = "Fill in the form";
    hand_over_lead = "Copied secrets leave the clipboard after 45 seconds, if this page is in front.";
    hand_over_is_over = "The access token has ended. Get a new one before you hand it over.";
    hand_over_file = "As a file on this computer";
    hand_over_format = "Shape";
    hand_over_download = "Download";
    hand_over_show = "Show";
    hand_over_shown_title = "One value";
    hand_over_shown = "Anybody who looks at this screen can read it. It is gone when you leave this page.";
    hand_over_hide = "Hide it and go back";
    hand_over_save_text = "All values, readable for you only, in";
    hand_over_save = "Save the file there";
    hand_over_saved = "The credentials file was written:";
    hand_over_other = "Or as a download";
    hand_over_calendar = "A calendar reminder";
    hand_over_calendar_text = "Alarms 30, 14, 7 and 1 days before somebody must sign in again.";
    hand_over_calendar_go = "Download the reminder";
    hand_over_bundle = "For somebody who fills the form in for you";
    hand_over_bundle_text = "A sealed file, for NiCE Professional Services for example. Send the file, and tell the passphrase by telephone.";
    hand_over_bundle_go = "Make the sealed file";
    hand_over_done = "I am done";
    hand_over_spent = "The auth code has been used; some forms ask for it all the same.";
    sealing_title = "Sealing the file";
    passphrase_title = "The passphrase of the sealed file";
    passphrase_text = "Write it down now: it is shown once. Tell it by telephone, never in the same message as the file.";

    profile_again = "Sign in again";
    profile_hand_over = "Hand over";
    profile_verify = "Try the tokens";
    profile_refresh = "Get a new access token";
    profile_revoke = "End the tokens";
    profile_revoke_sure = "End both tokens on the instance? What holds copies of them stops working.";
    profile_doctor = "Look for trouble";
    profile_target = "Product";
    profile_client = "Client ID";
    profile_by_itself = "Nobody signs in for this connection: its client gets the tokens by itself. In a terminal, snowtoken login does that.";
    profile_no_tokens = "There are no tokens.";

    doctor_title = "From here to a living token";
    doctor_lead = "Each step was looked at. What could not be looked at is marked so, and never counts as good.";
    doctor_pass = "good";
    doctor_warn = "good, with a remark";
    doctor_fail = "in the way";
    doctor_unknown = "not known";
    doctor_first = "What comes first:";

    diagnosis_cause = "Why";
    diagnosis_fix = "What to do";
    diagnosis_who = "Who can do it";
    diagnosis_seen = "What is seen";
    diagnosis_proof = "How it is known";
    diagnosis_source = "Where this comes from";
    diagnosis_all = "All diagnoses";

    goodbye_title = "The wizard is closed";
    goodbye_text = "You can close this window. What was stored stays; start the wizard again whenever you need it.";
    fix_terminal = "In a terminal:";
    idle_note = "This page has waited too long to send anything. Open it anew, or start the wizard again if it does not answer.";
    idle_again = "Open it anew";
    working_text = "This page looks again by itself.";
    lost_note = "The wizard does not answer any more. Start it again: it continues where you were.";

    words = "What do these words mean?";
    word_client = "OAuth client";
    word_access = "Access token";
    word_refresh = "Refresh token";
    word_redirect = "Redirect URL";
    word_scope = "Scope";
    glossary_client = "The entry on the instance that may ask for tokens; ServiceNow calls it an OAuth application.";
    glossary_token = "A text that opens the instance for a program, in the name of one user.";
    glossary_refresh = "The text with which new access tokens are got, until it ends itself.";
    glossary_redirect = "The address to which ServiceNow sends the browser after Allow.";
    glossary_scope = "What a token may be used for, as far as the instance tells it apart.";

    not_entered_title = "This page needs its link";
    not_entered_text = "Go back to the terminal, end the wizard there, and start it again: it opens a page that is let in.";
    not_found_title = "Nothing here";
    not_found_text = "There is no page at this address.";
    wrong_form_title = "An old form";
    wrong_form_text = "Open the overview and go on from there.";
    too_large_title = "Too much";
    too_large_text = "What was sent is larger than anything asked for here.";
    foreign_title = "Not for this browser";
    foreign_text = "This address belongs to a wizard on this computer.";

    second = "second";
    seconds = "seconds";
    minute = "minute";
    minutes = "minutes";
    hour = "hour";
    hours = "hours";
    day = "day";
    days = "days";
    time_to_come = "in {}";
    time_ago = "{} ago";
    home_end_now = "now";
    home_end_revoking = "the tokens are being ended";
    home_end_elsewhere = "another machine looks after it";
    home_end_never = "never: it renews itself";
    home_end_unknown = "not known";
    astray = "Something is missing. Begin again from the overview.";
    somebody = "somebody whom the instance does not name";
    refreshed = "There is a new access token. It ends";
    verified = "The instance accepts the access token. It belongs to";
    revoked = "The instance refuses the tokens now, and they are forgotten here.";
    allow_left = "Something else was begun here meanwhile, so that sign-in was given up. Open ServiceNow from here once more.";
    allow_unreadable = "That is not the address: it holds code= or error=. Copy the whole address bar of the tab that ServiceNow opened in.";
    readable = "can be read";
    readable_empty = "can be read, and shows no record: it is empty, or access rules hide everything";
    readable_absent = "is not on this instance";
}
