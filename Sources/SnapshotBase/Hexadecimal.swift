/// Two lower-case hexadecimal digits for each byte.
package func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let text = (0..<bytes.count * 2).map { digits[Int(bytes[$0 / 2] >> ($0 % 2 == 0 ? 4 : 0) & 15)] }
    return String(decoding: text, as: UTF8.self)
}
