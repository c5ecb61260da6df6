"""What channels share: connections and their faults, HTTP requests, texts made fit for a channel."""
