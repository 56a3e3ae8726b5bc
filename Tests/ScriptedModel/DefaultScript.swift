/// What the model does when no file says otherwise; also an example of every step.
enum DefaultScript {
    static let yaml = """
        scenarios:
          - match: scripted:fail
            turns:
              - fail: {status: 400, message: scripted failure}
          - match: scripted:overload
            turns:
              - [overload: {times: 2, retry_after: 1}, say: The model is free again.]
          - match: scripted:stall
            turns:
              - [say: Let me think., stall: 600]
          - match: scripted:flood
            turns:
              - flood: 10000000
          - match: scripted:disconnect
            turns:
              - [say: I was about to, disconnect: true]
          - match: scripted:echo
            turns:
              - say: "Prompt {number} was: {prompt}"
          - match: scripted:command
            turns:
              - [think: A command will tell., run: echo scripted output; id -u]
              - say: "The command said: {result}"
          - name: default
            turns:
              - - think: The task wants a file, so I write one.
                - say: I will write SCRIPTED.md.
                - write: {path: SCRIPTED.md, content: "Written for: {prompt}\\n"}
              - run: cat SCRIPTED.md
              - say: I wrote SCRIPTED.md and looked at it.
        """
}
