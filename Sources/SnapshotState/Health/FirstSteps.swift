/// What leads from an installed package to the first picture.
package enum FirstSteps {
    /// What each step does, and what is typed for it.
    package static let all = [
        ("Say which camera, and where its pictures go", "sudoedit /etc/snapshot/snapshot.env"),
        ("Try both once", "sudo snapshot check"),
        ("Begin", "sudo systemctl enable --now snapshot.timer"),
    ]
}
