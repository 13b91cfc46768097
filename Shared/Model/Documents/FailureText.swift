/// What a status of failure means, in a sentence of the documents.
public enum FailureText {
    public static func of(_ status: Int) -> String {
        switch status {
        case 400: "The request, its query or its body is malformed, or names something else than the path."
        case 401: "There is no token, or none that this process accepts."
        case 403: "The token is of a class that may not do this, or speaks for another node."
        case 404: "There is no such object."
        case 405: "The path does not take this method; `Allow` names those that it takes."
        case 406: "None of the representations that `Accept` names can be given."
        case 409: "`AlreadyExists`; or `Conflict`: the object is not at the revision, or not of the uid, that the request names."
        case 410:
            "`Expired`: the continue token or the revision is older than the history. List again; or, of a list, go on with what is there now by `metadata.continue` of this answer."
        case 413: "The body is longer than this route takes."
        case 414: "The request's target is too long."
        case 415: "The body is not of a type that this route takes, or does not say of which it is."
        case 416: "Nothing of the part that `Range` asks for exists."
        case 421: "The process does not answer to the host that the request names (`--allowed-hosts`)."
        case 422: "The object breaks rules; all faults are in `details.causes`, each with its field."
        case 429: "Too many requests; try again after `Retry-After`."
        case 431: "The header fields are longer than the process takes."
        case 500: "An error of ours; its cause is in the log of the process."
        case 503:
            "Too much is under way, what is needed cannot be reached, or the process is shutting down. Nothing was done; try again."
        case 504: "The answer was not there within the route's time; or, for a list, the revision that is asked for is ahead of the store."
        default: "The request failed."
        }
    }
}
