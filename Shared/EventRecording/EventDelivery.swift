public import HTTPClient
import Model
import ResourceClient
public import ServiceKit

extension EventRecorder {
    /// A recorder whose events go to the trigger-router, whether it is there or not.
    public convenience init(_ context: ServiceContext, to triggerRouter: HTTPURL, http: HTTPClient) {
        let credentials: ClientCredentials = context.clientToken.map { token in .provider { token.authorization } } ?? .anonymous
        let client = ResourceClient(baseURL: "\(triggerRouter)", credentials: credentials, http: http)
        self.init(
            component: context.name, store: RemoteStore(client: client, definitions: [Event.definition]), metrics: context.metrics,
            logger: context.logger)
    }
}
