// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

import Telemetry
import Testing

struct SettingTextTests {
    @Test(arguments: [("1", 1), ("64", 64)])
    func `a number within the range is taken`(text: String, number: Int) throws {
        #expect(try SettingText.number("loops", text, in: 1...64) == number)
    }

    @Test(arguments: ["0", "65", "1.5", "", "many"])
    func `any other text is refused by name`(text: String) {
        let error = #expect(throws: SettingError.self) { try SettingText.number("loops", text, in: 1...64) }
        #expect(error == SettingError(name: "loops", wanted: "a number from 1 to 64", found: text))
    }

    @Test func `a flag is true or false and nothing else`() throws {
        #expect(try SettingText.flag("election", "true"))
        #expect(try !SettingText.flag("election", "false"))
        let error = #expect(throws: SettingError.self) { try SettingText.flag("election", "yes") }
        #expect(error == SettingError(name: "election", wanted: "true or false", found: "yes"))
    }

    @Test func `names are parted by commas and spaces`() {
        #expect(SettingText.names(" a, b,,c ") == ["a", "b", "c"])
        #expect(SettingText.names("") == [])
    }
}
