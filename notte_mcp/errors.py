"""Everything that can go wrong, in words for the assistant that reads them.

An error says four things: what happened, whether anything was done, what is
preserved, and the one next call. Nothing here knows MCP: the tools' boundary
turns these into `ToolError`, the resources' into `ResourceError`. Engines map
their vendor's exceptions to these at their own border; above that border no
vendor exception is ever seen.

Below: nothing. Above: everything.
"""


class NotteMCPError(Exception):
    """Base of all expected failures.

    `what` is a full sentence. `done` says whether anything was changed
    (default: nothing was). `kept` names what is preserved. `next_call` is the
    single call that mends it, written as the caller would type it.
    """

    code = "error"

    def __init__(
        self,
        what: str,
        *,
        done: str = "Nothing was done.",
        kept: str = "",
        next_call: str = "",
    ) -> None:
        self.what = what
        self.done = done
        self.kept = kept
        self.next_call = next_call
        parts = [what, done, kept, f"Next: {next_call}" if next_call else ""]
        super().__init__(" ".join(part for part in parts if part))


# --- what the caller asked for ---------------------------------------------


class InvalidArgument(NotteMCPError):
    """An argument is unknown, missing or of the wrong form."""

    code = "invalid_argument"


class InvalidAction(NotteMCPError):
    """An action of a batch has an unknown type, an unknown field or a bad value."""

    code = "invalid_action"


class UnsupportedUrl(NotteMCPError):
    """The URL's scheme is not http or https, or it is no URL at all."""

    code = "unsupported_url"


class RequestIdConflict(NotteMCPError):
    """A `request_id` came again with other arguments, or its first call never finished."""

    code = "request_id_conflict"


class NeedsCloud(NotteMCPError):
    """What was asked for exists in the Notte cloud only."""

    code = "needs_cloud"


class LimitReached(NotteMCPError):
    """A limit of this server is reached; the text says which and who holds the slots."""

    code = "limit_reached"


class UploadRefused(NotteMCPError):
    """A file may not be uploaded: it is outside the allowed folders, or is no regular file."""

    code = "upload_refused"


# --- sessions ----------------------------------------------------------------


class UnknownSession(NotteMCPError):
    """No session has this id."""

    code = "unknown_session"


class SessionChoice(NotteMCPError):
    """No `session_id` was given and not exactly one session is live."""

    code = "session_choice"


class SessionBusy(NotteMCPError):
    """Another call holds the session and did not let go before the deadline."""

    code = "session_busy"


class SessionNotLive(NotteMCPError):
    """The session is recorded but has no browser: stopped, failed or interrupted."""

    code = "session_not_live"


class SessionLost(NotteMCPError):
    """The browser behind a live session is gone (crashed, killed, or disconnected)."""

    code = "session_lost"


class ProfileLocked(NotteMCPError):
    """Another session holds the profile."""

    code = "profile_locked"


# --- agents and models ----------------------------------------------------------


class UnknownAgent(NotteMCPError):
    """No agent has this id."""

    code = "unknown_agent"


class AgentEnded(NotteMCPError):
    """The agent has ended, or stands where what was asked has no meaning."""

    code = "agent_ended"


class UnknownWorkflow(NotteMCPError):
    """No workflow has this name, or not this version."""

    code = "unknown_workflow"


class UnknownRun(NotteMCPError):
    """No run of a workflow has this id."""

    code = "unknown_run"


class ModelMissing(NotteMCPError):
    """A model is needed and none is configured, or what is needed to call one is not installed."""

    code = "model_missing"


class ModelUnknown(NotteMCPError):
    """No provider has a model of this name."""

    code = "model_unknown"


class ModelRefused(NotteMCPError):
    """The provider refuses the key, or the request itself; asking again would change nothing."""

    code = "model_refused"


class ModelUnavailable(NotteMCPError):
    """The model's API is down, too slow, or limits the rate. `retry_after_s` is what the provider said (seconds)."""

    code = "model_unavailable"

    def __init__(self, what: str, *, retry_after_s: float | None = None, **rest: str) -> None:
        super().__init__(what, **rest)
        self.retry_after_s = retry_after_s


# --- the page -----------------------------------------------------------------


class UnknownElement(NotteMCPError):
    """An element id that no observation of this session has shown."""

    code = "unknown_element"


class StaleElement(NotteMCPError):
    """The element behind an id is gone and could not be told from its likes."""

    code = "stale_element"


class SelectorNotFound(NotteMCPError):
    """A selector matches nothing, or is not a selector."""

    code = "selector_not_found"


class SelectorAmbiguous(NotteMCPError):
    """A selector matches several elements."""

    code = "selector_ambiguous"


class NotActionable(NotteMCPError):
    """The element is there but cannot be acted on: covered, disabled, hidden, not editable."""

    code = "not_actionable"


class ActionTimeout(NotteMCPError):
    """The action's own `timeout_ms` ran out."""

    code = "action_timeout"


class ActionFailed(NotteMCPError):
    """The action was tried and did not do what was asked."""

    code = "action_failed"


class PageLoadFailed(NotteMCPError):
    """A page did not load: host unknown, connection refused, certificate, redirects without end."""

    code = "page_load_failed"


class PageNotResponding(NotteMCPError):
    """The page's own script holds its thread; nothing inside the page can be read."""

    code = "page_not_responding"


class PageCrashed(NotteMCPError):
    """The page's renderer process died; the session and its other tabs live on."""

    code = "page_crashed"


class UnknownView(NotteMCPError):
    """A cursor whose view is gone or that is older than 15 minutes."""

    code = "unknown_view"


# --- the machine --------------------------------------------------------------


class BrowserMissing(NotteMCPError):
    """No Chromium was found on this machine."""

    code = "browser_missing"


class BrowserLaunchFailed(NotteMCPError):
    """Chromium was found and did not start; the text carries its own last words."""

    code = "browser_launch_failed"


class StateFolderUnusable(NotteMCPError):
    """The state folder cannot be created, written, or belongs to someone else."""

    code = "state_folder_unusable"


class StoreTooNew(NotteMCPError):
    """The database was written by a newer notte-mcp."""

    code = "store_too_new"


class StoreUnusable(NotteMCPError):
    """The database is corrupt, locked for too long, or the disk is full."""

    code = "store_unusable"


class UnknownResource(NotteMCPError):
    """No resource has this URI."""

    code = "unknown_resource"


class NothingRecorded(NotteMCPError):
    """There is no film of it: recording was off, nothing was painted, or it was swept."""

    code = "nothing_recorded"


class StillMaking(NotteMCPError):
    """What was asked for takes longer to make than a call may; it goes on being made."""

    code = "still_making"


class VideoFailed(NotteMCPError):
    """The video of a replay could not be made."""

    code = "video_failed"


class ExtraMissing(NotteMCPError):
    """A part of this program that is installed on demand is not there; the text says how to install it."""

    code = "extra_missing"
