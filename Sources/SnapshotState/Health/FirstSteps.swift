/// The steps from an installed package to the first picture.
package enum FirstSteps {
    /// For each step its purpose and its command.
    package static let all = [
        ("Answer four questions; each answer is tried at once", "sudo snapshot setup"),
        ("See what works, and what to do about the rest", "sudo snapshot check"),
        ("Have pictures taken, unless the first step began that already", "sudo systemctl enable --now snapshot.timer"),
    ]
}
