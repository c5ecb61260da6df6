"""How a report is made and certified: facts, rules, prompt, check, plain text."""
