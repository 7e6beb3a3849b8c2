// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: the Hydro authors

/// Tokens made by another library (Python's cryptography), whose private keys are gone. Issued at 1,000,000 and good for an hour.
enum TokenVectors {
    /// Keys "r" (RSA), "e2" and "e3" (P-256, P-384), "d" (Ed25519); "weak" has 1024 bits, and "o" is shared.
    static let jwks =
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"r\",\"n\":\"vNNNjvAUWi2DZ8c-7NXgJR5q7Td7DOn0HPPULqAAfXPlaSWKtsu-CSRJy5BMQXjfS1e73Xg4n"
        + "MRTd2gSPpAz45lXkAf_okmwnwpGf4gD7Mcz4LPDtEFiNwwxoJBUJr2T47zTzik24XLl7Bz7fY6F5jGs0vbpp7wn8LFDV8rS-BGgPnPZ_wl5E2W"
        + "2-p8aJWZp7jak_cqC4vvo0yJJAQps4G8OhGT2VVnSZtU2AW-0fz05BoaZqr2BvlylprKrT-Mf-vA6OUbkr18MCVUmJKf6qFz9H1RZ500NxWn_n"
        + "x6sOgdxa2MVfeqsJxRxpYDuz8B7AZjM6UhKnA82ATr_W4exlQ\",\"e\":\"AQAB\"},{\"kty\":\"EC\",\"kid\":\"e2\",\"crv\":\"P-256\",\"x\":\"Fi_rQ"
        + "bDrGEV9UuBvH1TJ4avhhBuxI2nogsJAQPxx0z0\",\"y\":\"aLEKaUzVLF30WUKi9l04bHcfzY7k9JlZASMo7rSlS6g\"},{\"kty\":\"EC\",\"kid\":\""
        + "e3\",\"crv\":\"P-384\",\"x\":\"qrJ4oEAUxCFyjmp3um-Q9C8h9HwcpD4olRlLVPFLx7WI6WIDQ6j4xj6aSrjDCpVt\",\"y\":\"KE_ieCijATCJOIj7"
        + "pJTAzWhAda3rn4aCT4jNBs4teKkYGBjqO8Ni0FQLf7Ju4_CI\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"d\",\"x\":\"2O_Nzmr58IzWkJM"
        + "KuHdA9tebfhqLbBLYn4AszY9qBb0\"},{\"kty\":\"RSA\",\"kid\":\"weak\",\"n\":\"sXuf5hW7vWK4Nel9GoHt8gSRMM4Wtvsl0275saOCALrGnwp6"
        + "wOGGhtDhliCkJzm5nrvr1oUHf5rPRI9ESv1LtkGwittmaLlhOwZPGmlfFqTpvSgBICeI-Tk_o-te0qs1RmfPYk_Tt02Ul3Qa6MjHuB4BAo2wyg"
        + "uApgaCbBbmsIs\",\"e\":\"AQAB\"},{\"kty\":\"oct\",\"kid\":\"o\",\"k\":\"AAAA\"}]}"

    static let rs256 =
        "eyJhbGciOiJSUzI1NiIsImtpZCI6InIifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYW5uIiwiYXVkIjpbImh5ZHJ"
        + "vIl0sImlhdCI6MTAwMDAwMCwibmJmIjoxMDAwMDAwLCJleHAiOjEwMDM2MDB9.IF0sO_J0YronULC7dDYyZV2q1KDe-aXqTitXkY9VvoA8jGTB"
        + "nddbBg1SntvfcO39IMVbacaIi2fc6zQhNEUIOlyf5kV9Vx8a3-O8BGy_yvX6YDSgM1gcdAF1MQ6bpLrXtab4F-JPaJlf47FpzREYDobpUczVKg"
        + "XhMafZn4DTnlYT1WHdcgHeY2jRn38n7Umv1XY1h5Zic0kHYVqUdAFv4XEBTPXngp39J-vLoTjYF2KCtDN8jFta8_KPyM9pEo46da5ROtKwznn1"
        + "97psM9lsRLqKrHGGZvisr9eT8FZhkod2sIY3D6B6gX578xId3i-BhTMSoOwao0-_KpyqZqz7yg"
    static let rs384 =
        "eyJhbGciOiJSUzM4NCIsImtpZCI6InIifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYW5uIiwiYXVkIjpbImh5ZHJ"
        + "vIl0sImlhdCI6MTAwMDAwMCwibmJmIjoxMDAwMDAwLCJleHAiOjEwMDM2MDB9.ueA3yncbX4aMRZeFqB7_HKPazg1InVWIOJEDp-fQM9zK1x6e"
        + "SjXWv75PMKX6pF9TkBeBOw3fKjzBsxNzRczJvIxw7DbczRlROzy4lT5AFN_qX7dqDiQ-8tvPLv3QdRrM6s6Z1brBRwfDqmUQz0f8v50nsCjmdt"
        + "qqPQk5y3-H9hVf4Q5WOjV7bARxytWwtE1JawQSkMYzAUrypKk1iGLQXt3wWR--9uMvImA3ycA3357lknA6T20VgbPoZoFZzuThPZmaSuABmQww"
        + "haw6054PnwsLGRH37Yj5w_QD-J3ARgYsR5-Q3UCtlpL_15tVWxumvZzo6yNtvA9uZ-54K8gwaQ"
    static let rs512 =
        "eyJhbGciOiJSUzUxMiIsImtpZCI6InIifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYW5uIiwiYXVkIjpbImh5ZHJ"
        + "vIl0sImlhdCI6MTAwMDAwMCwibmJmIjoxMDAwMDAwLCJleHAiOjEwMDM2MDB9.BjyceZlO9FPR7PJyedimx_sa6Df6shpjQNcfWjpT5nvaJ332"
        + "pWtAuhy2eEaYY4HiPUD0wDTq4wP5yThMtq_xRYn_2e8njqwQhhGhAvOoFrhkRQssnqOMU9_cYqtQCTxaLXE6KZMlVgViXdB_8yzXsW4ZjOr16d"
        + "1rzihFpX_JCwX3cSWKcd1ja0MC7rWG-FMsU0xE1vcZORSO4Qa-lCTz6-gyMfFBT9yX3ASVrBDkbJ0nImrYZtH0sRcITEKckbwTemjZPjMsliQk"
        + "aFk_ZLefZsOHQlYCfTWjDxIHtWFQB3Uo9ncnP9neQ-1CUTXzQd-3EbpX-LYpl-fm7VW5mYlzzg"
    static let ps256 =
        "eyJhbGciOiJQUzI1NiIsImtpZCI6InIifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYW5uIiwiYXVkIjpbImh5ZHJ"
        + "vIl0sImlhdCI6MTAwMDAwMCwibmJmIjoxMDAwMDAwLCJleHAiOjEwMDM2MDB9.UXfPvznQbASWx1gci7G37RDuVx-2Ld1phYFcFmwL7RqJkBTU"
        + "RqCl3Bumdx4otDDp8pv_A0Ak8jmV6_r8AvEN1lorcQYtfvaaKbYI7czhwsykiMR_l3B7D4fACBI5NLtmb6Jf3mmg9yOesBaETAwefOCYFWg7mJ"
        + "wJXUoV-P5CVdMyOm17_-yTY7FHgEP9cfW5ddAls_aOdrrPeFfhlR-NEQIYDEggwb-hTPOhuOZpW4T5m5_lzDF7aXDiOTHs6mM4aunPQNWvuUpT"
        + "TlW5sjMj15-11kApXhjPHc9yuT_zNlswNVJKFGfFEKEILgeThS6IuggVVugmuSU4Gtk5wmlO9Q"
    static let ps384 =
        "eyJhbGciOiJQUzM4NCIsImtpZCI6InIifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYW5uIiwiYXVkIjpbImh5ZHJ"
        + "vIl0sImlhdCI6MTAwMDAwMCwibmJmIjoxMDAwMDAwLCJleHAiOjEwMDM2MDB9.rKsFCd7_5Isoi73Fm5ICP__ezpKNw71piVVTviIwWewE8vUR"
        + "fwDvw3i_llKpg5mfiivuwuPgnXeSEOE9IBTkOaUL30JQDxYi37wGceKKxr6HYlsJC_8JBcz4UzfOKiRwStuJdhWmSwwPSaxXnmakrxfpxkW02S"
        + "laLKsASDQwVeaMTl95JMp9rFKurbmSjLwlpX8PUlfzCn61v-zTRG7ZtLf05OW8UyaKFpX6fn0FKF3ZfF19X_guDldjj8iqFo7s8NpqpBV-2vRm"
        + "D84ClL-kR6Otzpr7sntOmh4DqpXnpNfzhgzEDdmoIDA-O7pK5sSmvvOM86HTOCG8yvLPnaCdUA"
    static let ps512 =
        "eyJhbGciOiJQUzUxMiIsImtpZCI6InIifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYW5uIiwiYXVkIjpbImh5ZHJ"
        + "vIl0sImlhdCI6MTAwMDAwMCwibmJmIjoxMDAwMDAwLCJleHAiOjEwMDM2MDB9.dsCa4lApXXc5fOYpm3NXYvnzXwkLY3KDVg0DLr8K3gZHS5lN"
        + "QOgqQ3N5Mu_6E64j0YdMP49MEnJCiaGc9KK35UPSzwGZ6V1vwnoAJ6GGiBu2y798mU6Qa8Z0ROYbMBYAGGJGCc7NjXrejsf5yvObyPL6gUvqpv"
        + "J6TVCWCxKjN1cYgYErFNitg9i4Yzga3M4o7ZxMFEZq90dhrxHKgwOpExqlJ_tMpGmud2wmvywarTzN16DxCHAEWrgZc2Lxpg4M1__rU4xcaz60"
        + "T6ir6sbc-Or-zIWJNn4JzG9WBE9K1DgM0-009eJEoMVD5EfFwOiKXPZVO7RyIbM3QCXmvbaU3A"
    static let es256 =
        "eyJhbGciOiJFUzI1NiIsImtpZCI6ImUyIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYW5uIiwiYXVkIjpbImh5ZH"
        + "JvIl0sImlhdCI6MTAwMDAwMCwibmJmIjoxMDAwMDAwLCJleHAiOjEwMDM2MDB9.dx3_btZPzHy4OuyxgGEqLPAaYZTRy_5WK2SNFPPxTlU6jBF"
        + "vZlvXxned-LB-h1NuXcffTndDdvYS8Q9Ceuc53Q"
    static let es384 =
        "eyJhbGciOiJFUzM4NCIsImtpZCI6ImUzIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYW5uIiwiYXVkIjpbImh5ZH"
        + "JvIl0sImlhdCI6MTAwMDAwMCwibmJmIjoxMDAwMDAwLCJleHAiOjEwMDM2MDB9.UCIV5dLjfkzZ_B8mcHQs5w7rggpucqMtC1v3LiPWvQydQtn"
        + "xHIX1ZisHG6BE6qzVBY5lC9qco0DCVcoVcWkufGgK1lKiSrNvZiRnWDjp_QTHRA3GXDUqGmv2osJijajT"
    static let eddsa =
        "eyJhbGciOiJFZERTQSIsImtpZCI6ImQifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYW5uIiwiYXVkIjpbImh5ZHJ"
        + "vIl0sImlhdCI6MTAwMDAwMCwibmJmIjoxMDAwMDAwLCJleHAiOjEwMDM2MDB9.UOSnlLoUCmxHzA-FUitiVsBhQp_ZsSYl5XeOPPZhdvM88b1j"
        + "MZhx-Rll4-wU7L7bDMiuaRkbwrlJ58W2YQ2YAg"
    static let noKid =
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYW5uIiwiYXVkIjpbImh5ZHJvIl0sImlhdCI6M"
        + "TAwMDAwMCwibmJmIjoxMDAwMDAwLCJleHAiOjEwMDM2MDB9.K2yFPRC0kW8bKY2SOP1kxwBRUw6opI2eGtm43XcTuwajG8gRVJ5IAIuiAJxDxL"
        + "8IokRPDlFXuPTlBTi4Le1gwQ"
    static let noExpiry =
        "eyJhbGciOiJFZERTQSIsImtpZCI6ImQifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYW5uIiwiYXVkIjpbImh5ZHJ"
        + "vIl0sImlhdCI6MTAwMDAwMCwibmJmIjoxMDAwMDAwfQ.Q8sMtby_qmpQBOYVa8bBK2vQE_MdjNkl8k7eqTbQ3IAP9Yub6qvsKFgQRD0xlwF5aR"
        + "TElhXpS3YHjYC3mGowDA"
    static let future =
        "eyJhbGciOiJFZERTQSIsImtpZCI6ImQifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYW5uIiwiYXVkIjpbImh5ZHJ"
        + "vIl0sImlhdCI6MTAxMDAwMCwibmJmIjoxMDAwMDAwLCJleHAiOjEwMDM2MDB9.vSBTilKB8Ji0cVOAlBMJONJlPNTGTa_0S8mZrhwA3Xrdfwhx"
        + "mHcrbUGIhkoSylL_rTXVpLvp_Uxqw8q0s_AlBg"
    static let critical =
        "eyJhbGciOiJFZERTQSIsImNyaXQiOlsieCJdLCJraWQiOiJkIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYW5uIi"
        + "wiYXVkIjpbImh5ZHJvIl0sImlhdCI6MTAwMDAwMCwibmJmIjoxMDAwMDAwLCJleHAiOjEwMDM2MDB9.GitCr1d8Zvwkf-ni0F8-INhnaUTUoe4"
        + "qnLrIyNTSMbRkq0VXQJoxjft2QxiggYDYHKfHKBJttzPrvwnHMpq8AQ"
    static let weak =
        "eyJhbGciOiJSUzI1NiIsImtpZCI6IndlYWsifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYW5uIiwiYXVkIjpbImh"
        + "5ZHJvIl0sImlhdCI6MTAwMDAwMCwibmJmIjoxMDAwMDAwLCJleHAiOjEwMDM2MDB9.YLkWZIF0ZqymCk861TiA-g2u3mCDr6Kq3zrpCgxcROlz"
        + "qIEriyXvPwQP_Wp4px9Hic0sFNhoMX519n8qYFqisUK_XO2x8D5M_e1Fy6-x4e9DfXhT1WmdhI6OC_yJvgtua5iT39y8MEtt21oq3__i7AOasO"
        + "PH9Sp5ueT-LF8vk-A"
    static let oneAudience =
        "eyJhbGciOiJFZERTQSIsImtpZCI6ImQifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwic3ViIjoiYW5uIiwiYXVkIjoiaHlkcm8"
        + "iLCJpYXQiOjEwMDAwMDAsIm5iZiI6MTAwMDAwMCwiZXhwIjoxMDAzNjAwfQ.bMTUGzuBQUvuQNKhgYrSqf7A6Qdp2BZQbA7sHoL_1KGsRPqlmy"
        + "Efe9GWWg_XLJYSIAY3Z8tozYHeET86aQ83DA"

    static let all = [
        ("RS256", rs256), ("RS384", rs384), ("RS512", rs512), ("PS256", ps256), ("PS384", ps384), ("PS512", ps512), ("ES256", es256),
        ("ES384", es384), ("EdDSA", eddsa),
    ]
}
