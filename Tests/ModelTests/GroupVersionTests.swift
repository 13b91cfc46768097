import JSONCoding
import Model
import Testing

@Suite struct GroupVersionTests {
    @Test func aGroupHasItsPlace() {
        #expect(GroupVersion.diagnosis.text == "diagnosis.kubediag.org/v1")
        #expect(GroupVersion.diagnosis.path == "apis/diagnosis.kubediag.org/v1")
        #expect(GroupVersion.core.text == "v1")
        #expect(GroupVersion.core.path == "api/v1")
    }

    @Test func anErrorNamesTheGroupOfItsKind() throws {
        var error = APIError.notFound(kind: "diagnoses", name: "d")
        #expect(error.status[path: "details", "group"] == "diagnosis.kubediag.org")
        error.group = ""
        #expect(error.status[path: "details", "group"] == nil)
        #expect(try #require(APIError(status: error.status)).group == "")
    }
}
