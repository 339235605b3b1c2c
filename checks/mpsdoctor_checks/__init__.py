"""The checks that come with mpsdoctor. They use what any other check may use, and are found the same way."""
